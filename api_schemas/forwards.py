"""What an insertion costs, counted before it is done: the transformer passes of `workers.addit`, as it counts
them. Pure arithmetic on a resolved request; tests compare it with what runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from api_schemas.insertions import GeneratedSource, InsertionRequest, Options, kind_of, move_step
from api_schemas.models import ModelCard, Transformer

PUBLISHED_STEPS, SPREAD_STEP, SPREAD_LOOKS = 30, 5, 4
"""The search for even spread (`extended_scale: auto`) looks so often at this step of 30."""
EVALUATIONS = {"euler": 1, "midpoint": 1, "fixed_point": 2}
"""Passes of an inversion for each of its steps."""
CLOSER_START = 8
"""Of 30: where a closer look at a large picture starts at the earliest."""
RETRIES = 3
LARGE = 4
"""A picture of more than so many times the model's most pixels is looked at more closely."""


@dataclass(frozen=True)
class Schedule:
    """Which steps are computed and what they need. Steps are 0-based, `*_until` inclusive.

    rows: variations; kept: those that go on after the first blend, at most
    share: of a pass that ends with the double blocks
    path: how the source's noisy latents come about: generated, noising, or by an inversion
    """

    steps: int
    start: int
    double_until: int
    single_until: int
    blends: frozenset[int]
    strict: bool
    use_offset: bool
    spread: bool
    path: str
    rows: int
    kept: int
    share: float
    target_passes: int
    source_passes: int

    @property
    def target(self) -> float:
        """Passes of the target: every step from its start on, and the glances of a search for gamma."""
        searched = max(move_step(SPREAD_STEP, PUBLISHED_STEPS, self.steps), self.start)
        looks = SPREAD_LOOKS * self.share if self.spread and searched <= self.double_until else 0.0
        blended = min(self.blends, default=self.steps - 1) + 1
        glancing = self.rows if searched < blended else self.kept
        steps = self.rows * (blended - self.start) + self.kept * (self.steps - blended)
        return steps * self.target_passes + glancing * looks

    @property
    def source(self) -> float:
        """Passes of a source of which nothing is remembered. A known one needs none."""
        steps = range(self.start, self.steps)
        if self.path == "generated":
            return self.steps * self.source_passes
        if self.path == "noising":
            return sum(self._side_pass(step) for step in steps)
        evaluated = len(steps) * EVALUATIONS[self.path] * self.source_passes
        if self.path == "midpoint":  # its passes lie between the steps, and one more before the first
            return evaluated + self.source_passes * bool(steps) + sum(map(self._side_pass, steps))
        return evaluated + self._side_pass(self.start)

    def _side_pass(self, step: int) -> float:
        """The source's pass beside the target's at a step."""
        lent_double, lent_single = step <= self.double_until, step <= self.single_until
        judged = self.path == "noising" and step == max(self.double_until, self.single_until)
        copied = step in self.blends and not self.strict
        if judged or copied or self.use_offset:
            return self.source_passes
        return 1.0 if lent_single else self.share * lent_double


def forwards(request: InsertionRequest, card: ModelCard, *, known: bool) -> float | None:
    """Passes of one try at a resolved request, all its variations; `known`: whether the source is remembered.
    With `keep_best` at most, for hopeless variations end at the first blend as well.

    None for a model that does not tell what its passes are made of.
    """
    schedule = schedule_of(request, card)
    return None if schedule is None else schedule.target + (0 if known else schedule.source)


def forwards_at_most(request: InsertionRequest, card: ModelCard, *, large: bool) -> float | None:
    """With every retry and, for a `large` picture, every closer look that may follow."""
    schedule = schedule_of(request, card)
    if schedule is None:
        return None
    one = replace(schedule, rows=1, kept=1)
    looks = closer_look(one) if large and schedule.blends else 0.0
    total = schedule.source + schedule.target + schedule.kept * looks
    if request.if_not_added == "retry":
        earlier = replace(one, start=max(0, one.start - 2))
        total += schedule.kept * RETRIES * (earlier.source + earlier.target + looks)
    return total


def closer_look(one: Schedule) -> float:
    """A part of the picture by itself: a source of its own, its target starting late."""
    late = move_step(CLOSER_START, PUBLISHED_STEPS, one.steps)
    part = replace(one, start=max(one.start, min(late, *one.blends)), strict=True)
    return part.source + part.target


def schedule_of(request: InsertionRequest, card: ModelCard) -> Schedule | None:
    """The steps of a resolved request."""
    made, options = card.transformer, request.options
    preset = request.preset or card.default_presets[kind_of(request.source)]
    if made is None or preset not in card.lending or options.num_inference_steps is None:
        return None
    steps, lending = options.num_inference_steps, card.lending[preset]
    before = card.presets[preset].num_inference_steps or steps
    generated = isinstance(request.source, GeneratedSource)
    return Schedule(
        steps=steps,
        start=start_of(options, steps),
        double_until=move_step(lending.double_until, before, steps),
        single_until=move_step(lending.single_until, before, steps),
        blends=frozenset(options.blend_steps or ()),
        strict=bool(options.strict_background),
        use_offset=bool(options.use_offset) and not generated,
        spread=options.extended_scale == "auto",
        path="generated" if generated else options.inversion or "noising",
        rows=max(1, len(request.seeds)),
        kept=min(max(1, len(request.seeds)), options.keep_best or len(request.seeds) or 1),
        share=made.double_blocks / (made.double_blocks + made.single_blocks),
        target_passes=_passes(made, options.guidance_scale or 1.0),
        source_passes=_passes(made, lending.source_guidance_scale),
    )


def start_of(options: Options, steps: int) -> int:
    """The step at which the target takes over the source's structure."""
    if options.structure_transfer_t is not None:
        return min(math.ceil((1 - options.structure_transfer_t) * steps - 1e-6), steps - 1)
    return options.structure_transfer_step or 0


def _passes(made: Transformer, guidance: float) -> int:
    return 2 if made.guides_twice and guidance > 1 else 1
