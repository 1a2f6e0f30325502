"""Why a sentence could not be completed."""

from __future__ import annotations

from collections.abc import Sequence


class NotInferred(ValueError):
    """The sentences leave the subjects open. candidates: what they might be, where that is several."""

    def __init__(self, reason: str, candidates: Sequence[str] = ()) -> None:
        named = f": {', '.join(map(repr, candidates))}" if candidates else ""
        super().__init__(f"{reason}{named}")
        self.reason, self.candidates = reason, tuple(candidates)
