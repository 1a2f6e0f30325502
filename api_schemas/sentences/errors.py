"""Why a sentence could not be completed."""

from __future__ import annotations

from collections.abc import Sequence


class NotInferred(ValueError):
    """The subject is not clear from the sentences. candidates: what it might be, where that is several."""

    def __init__(self, reason: str, candidates: Sequence[str] = ()) -> None:
        named = f": {', '.join(map(repr, candidates))}" if candidates else ""
        super().__init__(f"{reason}{named}")
        self.reason, self.candidates = reason, tuple(candidates)
