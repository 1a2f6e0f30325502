"""What is to be added, one thing or several: in JSON a string or a list of them, in code always a tuple."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

MAX_SUBJECT, MAX_SUBJECTS = 200, 4
Subject = Annotated[str, Field(min_length=1, max_length=MAX_SUBJECT)]
Subjects = Annotated[list[Subject], Field(min_length=1, max_length=MAX_SUBJECTS)]


def as_tuple(said: str | Sequence[str] | None) -> tuple[str, ...]:
    """One name for each thing; empty where nothing is said."""
    if said is None:
        return ()
    return (said,) if isinstance(said, str) else tuple(said)


def as_said(subjects: Sequence[str]) -> str | list[str] | None:
    """The shortest way of saying them."""
    if not subjects:
        return None
    return subjects[0] if len(subjects) == 1 else list(subjects)
