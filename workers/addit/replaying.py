"""Passes of the transformer that repeat: recorded once over static buffers, then replayed, their Python left
out.

What a CUDA graph needs, and nothing of CUDA: who records is a `Recorder`. A pass is known by its shapes and
by what it does at its attention layers. The first of a kind is run as ever, the second is recorded, all
others are replayed. Recorded are source passes that lend and target passes that attend; whatever looks on
(recorded maps), biases, shifts, is guided twice or is shared runs as ever, and so does all while the
transformer has hooks.
"""

from __future__ import annotations

import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.conditioning import Conditioning, by_row
from workers.addit.exchanging import PassComplete
from workers.addit.latents import LatentGrid
from workers.addit.pass_kinds import PassKind, kind_of
from workers.addit.processor import Exchange

MOST_GRAPHS = 16
"""One shape of an edit has about six: a source that lends all or half, a target that is lent all, half or
nothing, the source pass that judges."""
MOST_KINDS = 128
"""That are remembered to have been met."""
ROOM = 4 * 2**30
"""Bytes of the device that recording leaves alone, for a graph's own pool and for decoding: an assumption."""

Compute = Callable[[], Tensor | None]
"""A pass over static buffers to a velocity; None where it was not wanted to its end."""


class Recorder(Protocol):
    """Makes a pass repeatable."""

    def record(self, compute: Compute) -> Compute:
        """What does again on the device what `compute` did there, and gives the same tensor, filled anew.
        Need not have done it yet. Raises where it cannot."""

    def room(self) -> int:
        """Bytes that may still be taken."""

    def settle(self) -> None:
        """Wait until nothing is being replayed."""


@dataclass(eq=False)
class Buffer:
    """A static tensor, and what it was last filled with. Nobody changes what was given in place."""

    tensor: Tensor
    content: Callable[[], Tensor | None] = lambda: None

    def fill(self, given: Tensor) -> None:
        """Copy it in, unless it is there already."""
        if self.content() is not given:
            self.tensor.copy_(given)
            self.content = weakref.ref(given)

    def take(self) -> Tensor:
        """A copy, of what a pass wrote here."""
        taken = self.tensor.clone()
        self.content = weakref.ref(taken)
        return taken


@dataclass
class _Kind:
    """What is known of a kind of pass: `lent`, what it writes; `replay` with its buffers once recorded."""

    lent: Mapping[str, Tensor]
    replay: Compute | None = None
    buffers: Mapping[str, Buffer] = field(default_factory=dict)
    refused: bool = False


@dataclass
class ReplayingBackbone:
    """A backbone whose repeated passes are replayed. Everything else is the inner one's.

    counts: passes so far by "eager", "recorded", "replayed" and "refused", which is recording that failed
    """

    inner: Backbone
    recorder: Recorder
    most: int = MOST_GRAPHS
    counts: Counter[str] = field(default_factory=Counter)
    _kinds: OrderedDict[Hashable, _Kind] = field(default_factory=OrderedDict)
    _buffers: weakref.WeakValueDictionary[Hashable, Buffer] = field(
        default_factory=weakref.WeakValueDictionary
    )
    _weights: Hashable = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @contextmanager
    def exchange_processors(self) -> Iterator[None]:
        """See `Backbone`. Weights that have moved since, or attention by another kernel, make all recorded
        passes worthless."""
        with self.inner.exchange_processors():
            weights = weights_of(self.inner.transformer)
            if weights != self._weights:
                self.forget()
            self._weights = weights
            yield

    def forget(self) -> None:
        """Drop everything recorded, and its buffers."""
        self.recorder.settle()
        self._kinds.clear()

    def velocity(
        self,
        latents: Tensor,
        sigma: float | Tensor,
        cond: Conditioning,
        grid: LatentGrid,
        exchange: Exchange,
        unconditional: Exchange | None = None,
    ) -> Tensor:
        """See `Backbone`."""
        kind = None if self._weights is None or cond.negative is not None else kind_of(exchange)
        if kind is None:
            self.counts["eager"] += 1
            return self.inner.velocity(latents, sigma, cond, grid, exchange, unconditional)
        rows, device = latents.shape[0], latents.device
        given = {"latents": latents, "prompt_embeds": cond.prompt_embeds, **kind.given}
        given |= {"sigma": by_row(sigma, rows, device), "guidance": by_row(cond.guidance, rows, device)}
        given |= {
            name: part
            for name in ("pooled_prompt_embeds", "context")
            if (part := getattr(cond, name)) is not None
        }
        key = grid, kind.key, *((name, *_shape(part)) for name, part in given.items())
        known = self._kinds.get(key)
        if known is not None and known.replay is None and not known.refused:
            self._record(known, kind, given, grid)
        if known is None or known.replay is None:
            return self._eager(key, kind, latents, sigma, cond, grid, exchange)
        self._kinds.move_to_end(key)
        return self._replay(known, kind, given)

    def _eager(
        self,
        key: Hashable,
        kind: PassKind,
        latents: Tensor,
        sigma: float | Tensor,
        cond: Conditioning,
        grid: LatentGrid,
        exchange: Exchange,
    ) -> Tensor:
        """As ever, and remember that it was, with the shapes of what was lent."""
        self.counts["eager"] += 1
        try:
            return self.inner.velocity(latents, sigma, cond, grid, exchange)
        finally:
            lent = {name: torch.empty_like(part, device="meta") for name, part in kind.wrote().items()}
            self._kinds.setdefault(key, _Kind(lent))
            while len(self._kinds) > MOST_KINDS:
                self._drop(next(iter(self._kinds)))

    def _record(self, known: _Kind, kind: PassKind, given: Mapping[str, Tensor], grid: LatentGrid) -> None:
        wanted = {**given, **known.lent}
        new = sum(
            part.nbytes for name, part in wanted.items() if self._place(name, part) not in self._buffers
        )
        if self.recorder.room() < new + ROOM:
            return
        device = given["latents"].device
        buffers = {name: self._buffer(name, part, device) for name, part in wanted.items()}
        for name, part in given.items():
            buffers[name].fill(part)
        tensors = {name: buffer.tensor for name, buffer in buffers.items()}
        try:
            known.replay = self.recorder.record(lambda: self._compute(tensors, kind, grid))
        except Exception:  # whatever cannot be recorded can still be run
            known.refused = True
            self.counts["refused"] += 1
            return
        known.buffers = buffers
        self.counts["recorded"] += 1
        self._keep_few()

    def _compute(self, tensors: Mapping[str, Tensor], kind: PassKind, grid: LatentGrid) -> Tensor | None:
        cond = Conditioning(
            tensors["prompt_embeds"],
            tensors.get("pooled_prompt_embeds"),
            tensors["guidance"],
            context=tensors.get("context"),
        )
        try:
            return self.inner.velocity(
                tensors["latents"], tensors["sigma"], cond, grid, kind.exchange(tensors)
            )
        except PassComplete:
            return None

    def _replay(self, known: _Kind, kind: PassKind, given: Mapping[str, Tensor]) -> Tensor:
        assert known.replay is not None
        for name, part in given.items():
            known.buffers[name].fill(part)
        velocity = known.replay()
        self.counts["replayed"] += 1
        kind.take({name: known.buffers[name].take() for name in known.lent})
        if velocity is None:
            raise PassComplete
        return velocity.clone()

    def _place(self, name: str, part: Tensor) -> Hashable:
        return (name, *_shape(part))

    def _buffer(self, name: str, part: Tensor, device: torch.device) -> Buffer:
        """Shared by all kinds: passes run one at a time, and each fills what it reads."""
        place = self._place(name, part)
        buffer = self._buffers.get(place)
        if buffer is None:
            with torch.inference_mode(False):
                buffer = Buffer(torch.empty(part.shape, dtype=part.dtype, device=device))
            self._buffers[place] = buffer
        return buffer

    def _keep_few(self) -> None:
        """Drop the recorded kinds that were not used for longest."""
        recorded = [key for key, kind in self._kinds.items() if kind.replay is not None]
        for key in recorded[: -self.most]:
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        self.recorder.settle()
        del self._kinds[key]


def _shape(part: Tensor) -> tuple[Hashable, ...]:
    return tuple(part.shape), part.dtype


def weights_of(transformer: Any) -> Hashable | None:
    """Where its weights lie and which kernels attend; None where Python has a part in every pass: hooks
    (offload, block caches, meters), worn adapters, weights without an address of their own."""
    if transformer._forward_pre_hooks or transformer._forward_hooks:
        return None
    for module in transformer.modules():
        if "forward" in vars(module) or not getattr(module, "disable_adapters", True):
            return None
    try:
        places = tuple(part.data_ptr() for part in (*transformer.parameters(), *transformer.buffers()))
    except RuntimeError:
        return None
    backends = tuple(
        str(getattr(each, "_attention_backend", None)) for each in transformer.attn_processors.values()
    )
    return places, backends
