"""What every method is to the evaluation: a frozen value of settings that edits one item once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import torch
from numpy.typing import NDArray

from evaluation.suites.items import Item
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.source_memory import SourceMemories
from workers.models.loading import LoadOptions, load, pick_device
from workers.models.profiles import ModelProfile


@dataclass(frozen=True)
class Edited:
    """picture: (H, W, 3), of the source's size; mask: (H, W) bool, where the method itself says the subject
    is, None where it says nothing; forwards: passes of its network over one row, guidance included, None
    where that is not known; reused: something made for an earlier edit was used again, so that neither
    forwards nor seconds are those of one picture"""

    picture: Picture
    mask: NDArray[Any] | None
    forwards: float | None
    reused: bool = False


@dataclass
class Workbench:
    """What is loaded, each thing once and only when a method asks for it.

    service_key: of a tenant of the service that `RunningService` asks
    """

    profile: ModelProfile
    options: LoadOptions = field(default_factory=LoadOptions)
    service_key: str = field(default="", repr=False)
    _opened: dict[object, Any] = field(default_factory=dict)

    @cached_property
    def models(self) -> Models:
        """The base that Add-it and the training-free rivals share; it draws the sources that are told."""
        return load(self.profile, self.options)

    @cached_property
    def memories(self) -> SourceMemories:
        """What is known of sources from earlier edits."""
        return self.models.new_memories()

    def forget(self) -> None:
        """Know no source any more: the next edit costs what it costs alone."""
        if "memories" in vars(self):
            self.memories.forget_named(None)

    @property
    def device(self) -> torch.device:
        """Where everything runs."""
        return pick_device(self.options.device)

    def opened(self, key: object, opening: Callable[[], Any]) -> Any:
        """What was opened under this key before, or is now."""
        if key not in self._opened:
            self._opened[key] = opening()
        return self._opened[key]


class Method(Protocol):
    """A frozen dataclass: records of its pictures are found again by its type and its settings."""

    def prepare(self, bench: Workbench) -> None:
        """Open what `edit` needs, so that no item pays for it. Raises `EvaluationError` where it cannot."""

    def seeded(self, item: Item) -> bool:
        """Whether another seed gives another picture; of a method without chance one is enough."""

    def edit(self, bench: Workbench, item: Item, source: Picture, seed: int) -> Edited:
        """Add the item's subject to the source (H, W, 3), whose sides the base works on."""
