"""What the loop is given, and the source beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from workers.addit.backbones.conditioning import Conditioning
from workers.addit.config import AdditConfig
from workers.addit.dropping import Foresee, foresee_located
from workers.addit.forward import Branches, ExtendTarget, Recorder, SourcePass
from workers.addit.localizers import Located
from workers.addit.previews import OnX0
from workers.addit.rotating import Rotary
from workers.addit.source_memory import StepMemory
from workers.addit.sources import LayersAt, SourcePath, Tick, recall, remember
from workers.addit.subject_bias import SubjectBias
from workers.addit.subject_maps import SubjectRecorder
from workers.addit.weights import Weight

Locate = Callable[[Tensor, Tensor], Sequence[tuple[Located, ...]]]
"""From attention maps (B, n, h, w) and the target's x0 (B, L, C) to one `Located` per row and subject."""
Unwanted = Callable[[int], Collection[int]]
"""From a step to come to what is not to go on after it: rows of the batch as it began, or an edit's seeds."""


def all_wanted(step: int) -> Collection[int]:
    """Nobody has had enough of anything."""
    return ()


@dataclass(frozen=True)
class Targets:
    """What the loop needs besides latents: one source, the targets' prompt, and how to look at them.

    recorder: of the subjects' attention; None where no localizer asks for it, and maps are empty
    watchers: look on at all steps
    foresee: what rows promise, where some are to be dropped
    on_x0: shown the clean guess after every step
    unwanted: asked before every step which rows shall leave the batch
    shift, bias: see `ExtendTarget`
    """

    branches: Branches
    path: SourcePath
    cond: Conditioning
    sigmas: Sequence[float]
    config: AdditConfig
    layers_at: LayersAt
    recorder: SubjectRecorder | None
    locate: Locate
    tick: Tick = lambda: None
    watchers: tuple[Recorder, ...] = ()
    foresee: Foresee = foresee_located
    on_x0: OnX0 | None = None
    shift: Rotary | None = None
    bias: SubjectBias | None = None
    unwanted: Unwanted = all_wanted

    def of(self, places: Sequence[int]) -> Targets:
        """Of some rows of the batch alone; the recorder forgets the others."""
        if self.recorder is not None:
            self.recorder.keep(places)
        return replace(self, cond=self.cond.of(places))

    def exchange(
        self,
        step: int,
        source: StepMemory | None,
        layers: frozenset[str],
        scale: Weight | Tensor,
        recorders: tuple[Recorder, ...],
    ) -> ExtendTarget:
        """Of one pass."""
        weights = scale, self.config.source_scale
        return ExtendTarget(step, source, layers, *weights, recorders, self.shift, self.bias)


MOST_AHEAD = 4
"""Steps whose source passes are made as one: a stop is heard between two passes."""


def source_step(targets: Targets, step: int) -> StepMemory | None:
    """What the target needs of the source at `step`, remembered or computed; None where it needs nothing.

    The next steps' passes are made with it where that pays: the source's latents are all known before.
    """
    path, need = targets.path, source_need(targets, step)
    if need is None:
        return None
    known = recall(path, step, *need)
    if known is not None:
        return known
    needs = {step: need} | _needed_ahead(targets, step)
    passes = [SourcePass(path.latents(at), targets.sigmas[at], *of) for at, of in needs.items()]
    passed = dict(zip(needs, targets.branches.sources(path.cond, passes), strict=True))
    for at, memory in passed.items():
        remember(path, at, memory)
    return passed[step]


def source_need(targets: Targets, step: int) -> tuple[frozenset[str], bool] | None:
    """Layers that the source lends at `step`, and whether its velocity is wanted; None for neither.

    The last pass that is lent runs to its end, for the velocity that judges whether the model knows such
    pictures. What a path's own Euler step gives needs no velocity.
    """
    config, path = targets.config, targets.path
    lend = targets.layers_at(step)
    copied = step in config.blend_steps and not config.strict_background
    judged = step == config.last_extended_step and path.true_velocity is not None
    velocity = judged or (not path.euler and (copied or config.use_offset))
    return (lend, velocity) if lend or velocity else None


def _needed_ahead(targets: Targets, step: int) -> dict[int, tuple[frozenset[str], bool]]:
    """What the steps behind `step` need, as many as pay, nothing is known of, and can be kept."""
    branches, memory = targets.branches, targets.path.memory
    found: dict[int, tuple[frozenset[str], bool]] = {}
    latents = targets.path.latents(step)
    room = branches.lent_bytes(latents, targets.layers_at(step))
    if targets.path.cond.negative is not None:
        return {}
    for at in range(step + 1, min(step + MOST_AHEAD, len(targets.sigmas) - 1)):
        need = source_need(targets, at)
        if need is None or at in memory.held:
            break
        room += branches.lent_bytes(latents, need[0])
        if not memory.can_hold(room):
            break
        found[at] = need
    while found and not branches.pays(branches.grid, [1] * (len(found) + 1)):
        found.popitem()
    return found


def velocity_error(source: StepMemory | None, path: SourcePath) -> float | None:
    """Mean squared error of the source's velocity, None where it or the truth is not known."""
    if source is None or source.velocity is None or path.true_velocity is None:
        return None
    if source.velocity.is_meta:
        return None
    return float((source.velocity - path.true_velocity).square().mean())


def source_after(targets: Targets, source: StepMemory | None, step: int) -> Tensor:
    """(1, L, C) source latents after its own Euler step from `step`, as the reference copies them."""
    path, sigmas = targets.path, targets.sigmas
    if path.euler:
        return path.latents(step + 1)
    assert source is not None
    assert source.velocity is not None
    return path.latents(step) + (sigmas[step + 1] - sigmas[step]) * source.velocity
