"""What is remembered of sources, within an edit and from one edit to the next.

Keys and values of a source's image tokens depend on the source alone, not on the target's prompt, seed,
gamma, mask or localizer. So one source serves any number of edits, and its own passes run once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from workers.addit.localizers import Picture
from workers.addit.memory_tiers import Held, Tier
from workers.addit.text_memory import TextMemory

MOST_SOURCES = 64
"""Whose paths are kept: some megabytes each."""
MOST_NAMES = 1024
"""Of one source; one that is known by more is learned anew."""


@dataclass(frozen=True)
class SourceKey:
    """What a source's passes depend on, and whose it is.

    owner: the tenant: nobody else's edit ever finds it; model: names the weights
    picture: digest of a real source's pixels, empty for a generated one
    path: how its noisy latents come about; size: height and width in pixels
    """

    owner: str
    model: str
    picture: str
    prompt: str
    seed: int
    path: str
    guidance: float
    steps: int
    size: tuple[int, int]


@dataclass
class StepMemory:
    """One step: (1, S, H, D) keys and values per layer, and the source's velocity (1, S, C) where it was
    computed."""

    lent: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    velocity: Tensor | None = None

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(tensor.nbytes for tensor in self.tensors().values())

    def tensors(self) -> dict[str, Tensor]:
        """All of it by name: what a tier keeps."""
        named = {f"key {layer}": key for layer, (key, _) in self.lent.items()}
        named |= {f"value {layer}": value for layer, (_, value) in self.lent.items()}
        return named if self.velocity is None else named | {"velocity": self.velocity}

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> StepMemory:
        """From what `tensors` gave."""
        layers = [name.removeprefix("key ") for name in tensors if name.startswith("key ")]
        lent = {layer: (tensors[f"key {layer}"], tensors[f"value {layer}"]) for layer in layers}
        return cls(lent, tensors.get("velocity"))

    def serves(self, layers: frozenset[str], velocity: bool) -> bool:
        """Whether it has all of that."""
        return layers <= self.lent.keys() and (self.velocity is not None or not velocity)


class Kept(Protocol):
    """What tiers can keep."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""

    def tensors(self) -> dict[str, Tensor]:
        """All of it by name."""


@dataclass
class SourceMemory:
    """One source as far as it is known. Steps that do not fit are computed again when they are needed.

    path: noisy latents (1, L, C) by step, on the CPU; index `num_inference_steps` is the clean end
    carried: what an inversion hands from step to step, at the last step of `path`
    shown: (H, W, 3), the clean end through the autoencoder
    names: what those who used it call it, and by which it is forgotten
    """

    store: SourceMemories
    path: dict[int, Tensor] = field(default_factory=dict)
    carried: Tensor | None = None
    shown: Picture | None = None
    names: set[str] = field(default_factory=set)
    held: dict[int | str, Held] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of its steps."""
        return sum(held.nbytes for held in self.held.values())

    def get(self, step: int) -> StepMemory | None:
        """The step as remembered, on the model's device, or None."""
        held = self.held.get(step)
        return None if held is None else StepMemory.of(held.load(self.store.device))

    def can_hold(self, nbytes: int) -> bool:
        """Whether so many more bytes would be kept: asked before anything is copied."""
        return self.store.can_hold(self, nbytes)

    def keep(self, step: int, memory: StepMemory) -> bool:
        """Remember a step, in place of what was known of it, where there is room; says whether."""
        return self.store.keep(self, step, memory)


class SourceMemories:
    """Sources by key, the least recently used making room.

    tiers: fastest first. What a tier has no room for goes to the next; after the last it is forgotten.
    texts: what their edits' prompts were encoded to
    """

    def __init__(self, tiers: Sequence[Tier], device: torch.device) -> None:
        self.tiers, self.device = tuple(tiers), device
        self.host = device if device.type == "meta" else torch.device("cpu")
        self.texts = TextMemory(self.host, device)
        self._sources: OrderedDict[SourceKey, SourceMemory] = OrderedDict()
        self._in_use = set[SourceKey]()
        self.hits = self.misses = 0

    @property
    def nbytes(self) -> int:
        """Bytes held, in all tiers."""
        return sum(tier.used for tier in self.tiers)

    @property
    def count(self) -> int:
        """How many sources are known."""
        return len(self._sources)

    def open(self, key: SourceKey, name: str = "") -> SourceMemory:
        """What is known of a source, new or not; it is the most recently used now. See `forget_named`."""
        source = self._sources.setdefault(key, SourceMemory(self))
        if len(source.names | {name}) > MOST_NAMES:
            self.forget(key)
            source = self._sources[key] = SourceMemory(self)
        source.names.add(name)
        self.hits += bool(source.path)
        self.misses += not source.path
        self._sources.move_to_end(key)
        while len(self._sources) > MOST_SOURCES:
            self.forget(next(iter(self._sources)))
        return source

    @contextmanager
    def used(self, key: SourceKey, name: str = "") -> Iterator[SourceMemory]:
        """As `open`, for one edit at a time: another that comes meanwhile gets a memory of its own, in which
        only the path is kept: two that learn one source in turns would mix what they carry between steps."""
        if key in self._in_use:
            yield SourceMemory(SourceMemories((), self.device))
            return
        self._in_use.add(key)
        try:
            yield self.open(key, name)
        finally:
            self._in_use.remove(key)

    def __contains__(self, key: SourceKey) -> bool:
        return key in self._sources

    def forget(self, key: SourceKey) -> None:
        """Drop a source, if it is known."""
        self.texts.forget(key)
        source = self._sources.pop(key, None)
        for step in list(source.held) if source else ():
            source.held.pop(step).drop()  # type: ignore[union-attr]

    def forget_named(self, names: Collection[str] | None) -> int:
        """Drop all sources that were opened by any of these names, None for all there are; how many."""
        named = [key for key, s in self._sources.items() if names is None or not s.names.isdisjoint(names)]
        for key in named:
            self.forget(key)
        return len(named)

    def can_hold(self, source: SourceMemory, nbytes: int) -> bool:
        """Whether some tier would take the bytes once other sources have made room."""
        own = [sum(h.nbytes for h in source.held.values() if h.tier is tier) for tier in self.tiers]
        return any(used + nbytes <= tier.max_bytes for used, tier in zip(own, self.tiers, strict=True))

    def keep(self, source: SourceMemory, step: int | str, memory: Kept) -> bool:
        """See `SourceMemory.keep`. What is no step of the source's has a name."""
        known = source.held.pop(step, None)
        if known is not None:
            known.drop()
        return self._place(source, step, memory.tensors(), memory.nbytes, 0)

    def _place(
        self, source: SourceMemory, step: int | str, tensors: dict[str, Tensor], nbytes: int, level: int
    ) -> bool:
        """Into the first tier from `level` on that has room, or makes it."""
        for below, tier in enumerate(self.tiers[level:], level + 1):
            if self._make_room(tier, nbytes, source, below):
                source.held[step] = tier.hold(tensors)
                return True
        return False

    def _make_room(self, tier: Tier, nbytes: int, sparing: SourceMemory, below: int) -> bool:
        """Push steps of other sources down until the bytes fit. Nothing moves where it would not help."""
        others = [source for source in self._sources.values() if source is not sparing]
        steps = [(source, step) for source in others for step, h in source.held.items() if h.tier is tier]
        movable = sum(source.held[step].nbytes for source, step in steps)
        if tier.used - movable + nbytes > tier.max_bytes:
            return False
        for source, step in steps:
            if tier.used + nbytes <= tier.max_bytes:
                break
            held = source.held.pop(step)
            tensors = held.load(self.device)
            held.drop()
            tier.evictions += 1
            self._place(source, step, tensors, held.nbytes, below)
        return True
