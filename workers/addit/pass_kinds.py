"""Which passes of the transformer are alike but for the numbers in their tensors."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from workers.addit.forward import ExtendTarget, LendSource, StopAfter
from workers.addit.processor import Attending, Exchange
from workers.addit.source_memory import StepMemory
from workers.addit.weights import weight_at

Tensors = Mapping[str, Tensor]


def _nothing(tensors: Tensors) -> None:
    """Where a pass writes nothing."""


@dataclass(frozen=True)
class PassKind:
    """What a pass does at its attention layers.

    key: the same for passes that differ in nothing but tensors
    exchange: does the same with other tensors, those of `given` and those that it writes
    given: tensors it reads, by name; wrote: those that a pass wrote, by name
    take: puts such where they were wanted
    """

    key: Hashable
    exchange: Callable[[Tensors], Exchange]
    given: Tensors = field(default_factory=dict)
    wrote: Callable[[], Tensors] = dict
    take: Callable[[Tensors], None] = _nothing


@dataclass(frozen=True)
class LendInto:
    """As `LendSource`, into tensors that are there already, named as `StepMemory` names them."""

    tensors: Tensors
    layers: frozenset[str]
    text_len: int

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
        if layer in self.layers:
            self.tensors[f"key {layer}"].copy_(key[:, self.text_len :])
            self.tensors[f"value {layer}"].copy_(value[:, self.text_len :])
        return query, key, value


def kind_of(exchange: Exchange) -> PassKind | None:
    """None for passes that are not to be repeated: looked at, biased, shifted, shared, or of another sort."""
    if isinstance(exchange, ExtendTarget):
        return _attending(exchange)
    if isinstance(exchange, LendSource):
        return _lending(exchange, None)
    if isinstance(exchange, StopAfter) and isinstance(exchange.exchange, LendSource):
        return _lending(exchange.exchange, exchange.layer)
    return None


def _lending(wanted: LendSource, last: str | None) -> PassKind:
    def exchange(tensors: Tensors) -> Exchange:
        lend = LendInto(tensors, wanted.layers, wanted.text_len)
        return lend if last is None else StopAfter(lend, last)

    def wrote() -> Tensors:
        return StepMemory(wanted.memory.lent).tensors()

    def take(tensors: Tensors) -> None:
        wanted.memory.lent |= StepMemory.of(dict(tensors)).lent

    key = "source", wanted.layers, wanted.text_len, last
    return PassKind(key, exchange, wrote=wrote, take=take)


def _attending(wanted: ExtendTarget) -> PassKind | None:
    if wanted.recorders or wanted.bias is not None or wanted.shift is not None:
        return None
    layers = wanted.layers if wanted.memory is not None else frozenset[str]()
    lent = {} if wanted.memory is None else {layer: wanted.memory.lent[layer] for layer in sorted(layers)}
    scales = wanted.scale, wanted.source_scale
    weights = frozenset(
        (
            layer,
            *(
                None if isinstance(scale, Tensor) else weight_at(scale, wanted.step, layer)
                for scale in scales
            ),
        )
        for layer in layers
    )
    given = StepMemory(lent).tensors()
    if lent and isinstance(wanted.scale, Tensor):
        given["scale"] = wanted.scale

    def exchange(tensors: Tensors) -> Exchange:
        memory = StepMemory.of({name: tensors[name] for name in given if name != "scale"}) if lent else None
        return replace(wanted, memory=memory, scale=tensors.get("scale", wanted.scale))

    return PassKind(("target", weights), exchange, given)
