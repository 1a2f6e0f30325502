"""The world that the embedded model is at home in, and its score: found by the model's own name."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from workers.models.profiles import embedded_profile


def world_module(name: str) -> ModuleType:
    """A module of the world's package, such as "score.modes"."""
    return import_module(f"{embedded_profile().name}.{name}")


def open_workshop() -> Any:
    """The world with what is cached of it."""
    return world_module("workshop").Workshop(world_module("__main__").CACHE, count=0)


def open_laboratory(processes: int) -> Any:
    """Where the score's jobs run, on the shipped weights; what was measured before is found again."""
    workshop = open_workshop()
    versions = world_module("score.versions")
    weights = versions.Weights.of(workshop.shipped)
    known = versions.read_versions(weights, workshop.world)
    return world_module("score.measuring").Laboratory(workshop, weights, known, processes)
