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


def find_subject_in_chat(tokenizer: Any, chat: Sequence[int], prompt: str, subject: str) -> tuple[int, ...]:
    """Positions in `chat`, the tokens of a conversation that holds the whole prompt among other words.

    Language models' tokens carry the space before a word, so " cat" is looked for before "cat". Raises
    `SubjectNotInPrompt`, also where the chat was cut off before the subject.
    """
    told = _pieces(tokenizer, prompt)
    began = _find(chat, told)
    for wanted in (f" {subject}", subject, f" {subject.lower()}", subject.lower()):
        pieces = _pieces(tokenizer, wanted)
        start = _find(told, pieces)
        if start is not None and began is not None:
            return tuple(range(began + start, began + start + len(pieces)))
    raise SubjectNotInPrompt(subject, prompt)


def _pieces(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer(text, add_special_tokens=False).input_ids)


def _find(sentence: Sequence[int], wanted: Sequence[int]) -> int | None:
    width = len(wanted)
    starts = (i for i in range(len(sentence) - width + 1) if tuple(sentence[i : i + width]) == tuple(wanted))
    return next(starts, None) if width else None
