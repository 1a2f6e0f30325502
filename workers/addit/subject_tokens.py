"""Which tokens of the prompt name the subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.addit.errors import SubjectNotInPrompt


def find_subject(tokenizer: Any, prompt: str, subject: str, max_length: int) -> tuple[int, ...]:
    """Positions of the subject's tokens in the tokenized prompt, the first occurrence.

    Matches token sequences, not strings, so "cat" is not found in "a caterpillar"; a subject of several
    pieces gives
    all of them. Raises `SubjectNotInPrompt`.
    """
    sentence = _pieces(tokenizer, prompt)[:max_length]
    for wanted in {_pieces(tokenizer, subject): None, _pieces(tokenizer, subject.lower()): None}:
        start = _find(sentence, wanted)
        if start is not None:
            return tuple(range(start, start + len(wanted)))
    raise SubjectNotInPrompt(subject, prompt)


def _pieces(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer(text, add_special_tokens=False).input_ids)


def _find(sentence: Sequence[int], wanted: Sequence[int]) -> int | None:
    width = len(wanted)
    starts = (i for i in range(len(sentence) - width + 1) if tuple(sentence[i : i + width]) == tuple(wanted))
    return next(starts, None) if width else None
