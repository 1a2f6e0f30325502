"""Which tokens of the prompt name the subjects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workers.addit.errors import SubjectNotInPrompt

Pieces = tuple[int, ...]


def find_subjects(
    tokenizer: Any, source_prompt: str, prompt: str, subjects: Sequence[str], max_length: int
) -> tuple[Pieces, ...]:
    """Positions of each subject's tokens in the tokenized prompt; no token belongs to two subjects.

    Matches token sequences, not strings, so "cat" is not found in "a caterpillar"; a subject of several
    pieces gives all of them. Of several occurrences the new one is meant: the first of those beyond as many
    as the source's prompt has, or the last. Raises `SubjectNotInPrompt`.
    """
    sentence = _pieces(tokenizer, prompt)[:max_length]
    wordings = [_wordings(tokenizer, subject, subject.lower()) for subject in subjects]
    found = _assign(sentence, _pieces(tokenizer, source_prompt), wordings)
    return _all_found(found, subjects, prompt)


def find_subjects_in_chat(
    tokenizer: Any, chat: Sequence[int], source_prompt: str, prompt: str, subjects: Sequence[str]
) -> tuple[Pieces, ...]:
    """Positions in `chat`, the tokens of a conversation that holds the whole prompt among other words.

    Language models' tokens carry the space before a word, so " cat" is looked for before "cat". Raises
    `SubjectNotInPrompt`, also where the chat was cut off before the subjects.
    """
    told = _pieces(tokenizer, prompt)
    began = next(_starts(chat, told), None)
    wordings = [
        _wordings(tokenizer, f" {subject}", subject, f" {subject.lower()}", subject.lower())
        for subject in subjects
    ]
    found = _assign(told, _pieces(tokenizer, source_prompt), wordings) if began is not None else {}
    placed = {index: tuple((began or 0) + at for at in tokens) for index, tokens in found.items()}
    return _all_found(placed, subjects, prompt)


def _assign(
    sentence: Pieces, before: Pieces, wordings: Sequence[Sequence[Pieces]]
) -> dict[int, tuple[int, ...]]:
    """An occurrence in `sentence` for each subject that has one of its own left; the longest choose first,
    for "another dog" names a dog as well."""
    found = dict[int, tuple[int, ...]]()
    for index in sorted(range(len(wordings)), key=lambda index: -max(map(len, wordings[index]))):
        taken = {at for tokens in found.values() for at in tokens}
        free = [at for at in _occurrences(sentence, wordings[index]) if not taken.intersection(at)]
        known = len(_occurrences(before, wordings[index]))
        if free:
            found[index] = free[min(known, len(free) - 1)]
    return found


def _occurrences(sentence: Pieces, wordings: Sequence[Pieces]) -> list[tuple[int, ...]]:
    """Of the first wording that occurs at all, in order, none overlapping another."""
    for pieces in wordings:
        found = list[tuple[int, ...]]()
        for start in _starts(sentence, pieces):
            if not found or start > found[-1][-1]:
                found.append(tuple(range(start, start + len(pieces))))
        if found:
            return found
    return []


def _all_found(found: dict[int, tuple[int, ...]], subjects: Sequence[str], prompt: str) -> tuple[Pieces, ...]:
    for index, subject in enumerate(subjects):
        if index not in found:
            raise SubjectNotInPrompt(subject, prompt)
    return tuple(found[index] for index in range(len(subjects)))


def _wordings(tokenizer: Any, *texts: str) -> list[Pieces]:
    return list(dict.fromkeys(_pieces(tokenizer, text) for text in texts))


def _pieces(tokenizer: Any, text: str) -> Pieces:
    return tuple(tokenizer(text, add_special_tokens=False).input_ids)


def _starts(sentence: Sequence[int], wanted: Sequence[int]) -> Iterator[int]:
    width = len(wanted)
    places = range(len(sentence) - width + 1) if width else ()
    return (start for start in places if tuple(sentence[start : start + width]) == tuple(wanted))
