"""What several of the evaluation's tests need."""

from __future__ import annotations

from toyland.world import World


def no_world() -> World:
    """For suites that need none."""
    raise AssertionError("nothing is to be drawn")
