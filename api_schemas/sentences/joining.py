"""The target prompt from the source's: one thing more, or some, in the caption's own way of speaking."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from api_schemas.sentences.instructions import Instruction
from api_schemas.sentences.phrases import Phrase, new_phrases, noun_phrases
from api_schemas.sentences.words import each_word

WORN = each_word("hat cap crown glasses sunglasses scarf helmet necklace tie mask beanie hood cape")
ON = each_word(
    "table desk bed sofa couch shelf chair bench wall floor roof plate counter road hook rack stand"
)
_CARRYING = re.compile(r"\s+(?:wearing|holding)\b")
_PLACED = re.compile(r"\b(?:on|in|at|by|under|over|near|next to|beside|behind|in front of)\b", re.IGNORECASE)
_PERSON = re.compile(r"(['’]s (?:head|hands?|face|neck))$", re.IGNORECASE)
_LISTED = re.compile(r"[\s,]*(?:\band\b)?[\s,]*$", re.IGNORECASE)
_STYLE = re.compile(
    r"(?:,(?!\s*(?:and|with|a|an|the|two|three|four|some|his|her|their)\b)[^,.]*)+$", re.IGNORECASE
)


def join(source_prompt: str, instruction: Instruction) -> str:
    """`a street with a bus` and `a car` -> `a street with a bus and a car`; what is given to somebody is
    worn or held. Behind the first sentence, before its commas of style."""
    carried = _carried(source_prompt, instruction)
    if carried:
        return carried
    first, rest = _first_sentence(source_prompt.strip())
    style = _STYLE.search(first)
    body, tail = (first[: style.start()].rstrip(), first[style.start() :]) if style else (first, "")
    addition = _placed(body, instruction)
    return f"{body}{_link(body, addition)}{addition}{tail}{rest}"


def _first_sentence(text: str) -> tuple[str, str]:
    """The first sentence without its mark, and everything from there on."""
    end = re.search(r"[.!?](?=\s|$)", text)
    return (text[: end.start()], text[end.start() :]) if end else (text, "")


def _link(body: str, addition: str) -> str:
    """ " and " where a list that began with "with" is still open, " with " where there is none."""
    _, listed, items = body.rpartition(" with ")
    placed = _PLACED.search(items) is not None
    return " and " if listed and (not placed or _PLACED.search(addition)) else " with "


def _placed(body: str, instruction: Instruction) -> str:
    """The thing with where it goes: added to the scene it needs no place, added to a table it is on it."""
    if instruction.receiver:
        return f"{instruction.thing} by {instruction.receiver}"
    if not instruction.to:
        return instruction.thing
    where, scene = noun_phrases(f"to {instruction.to}")[0], noun_phrases(body)[:1]
    if scene and where.head == scene[0].head and where.head not in ON:
        return instruction.thing
    return f"{instruction.thing} {'on' if where.head in ON else 'in'} {instruction.to}"


def _carried(source_prompt: str, instruction: Instruction) -> str | None:
    """`a man on a bench`, `a hat` for `the man` -> `a man wearing a hat on a bench`; None where it is no
    matter of wearing or holding, or the source does not name that one."""
    told: str | None = source_prompt
    for one in reversed(_one_by_one(instruction)):  # each is told before what is there already
        told = told and _carried_one(told, one)
    return told


def _one_by_one(instruction: Instruction) -> list[Instruction]:
    """`a hat and a flag` for `the man` -> `a hat` and `a flag`, each for him."""
    text, starts = instruction.thing, [thing.start for thing in new_phrases(instruction.phrases)]
    if len(starts) < 2 or not (instruction.receiver or instruction.to):
        return [instruction]
    parts = [text[start:end] for start, end in pairwise([*starts, len(text)])]
    return [replace(instruction, thing=_LISTED.sub("", part)) for part in parts]


def _carried_one(source_prompt: str, instruction: Instruction) -> str | None:
    thing, receiver = instruction.thing, instruction.receiver
    worn = instruction.phrases[0].head in WORN if instruction.phrases else False
    if receiver is None and worn:
        thing, receiver = _on_somebody(instruction)
    bearer = _find(source_prompt, receiver) if receiver else None
    if bearer is None or bearer.head in ON:
        return None
    before, after = source_prompt[: bearer.end], source_prompt[bearer.end :]
    also = " and" if _CARRYING.match(after) else ""
    return f"{before} {'wearing' if worn else 'holding'} {thing}{also}{after}"


def _on_somebody(instruction: Instruction) -> tuple[str, str | None]:
    """(`a hat`, `the man`) of `a hat on the man's head`, or of `a hat` to `the man`."""
    if instruction.to:
        return instruction.thing, _PERSON.sub("", instruction.to)
    phrases = instruction.phrases
    if len(phrases) != 2 or phrases[1].link != "on":
        return instruction.thing, None
    rest = instruction.thing[phrases[1].start :]
    return instruction.thing[: phrases[0].end], _PERSON.sub("", rest)


def _find(source_prompt: str, receiver: str) -> Phrase | None:
    wanted = noun_phrases(receiver)
    found = (phrase for phrase in noun_phrases(source_prompt) if wanted and phrase.head == wanted[0].head)
    return next(found, None)
