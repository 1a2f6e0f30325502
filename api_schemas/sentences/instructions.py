"""What may be said instead of a whole target prompt: "add a red dog to the left of the bed", "a dog"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from api_schemas.sentences.errors import NotInferred
from api_schemas.sentences.phrases import Phrase, is_framed, new_phrases, noun_phrases
from api_schemas.sentences.words import PICTURES, with_article
from api_schemas.subjects import MAX_SUBJECTS

_POLITE = re.compile(
    r"(?:(?:please|now|then|also|just|ok|okay|hey|hi|let's|let us|can you|could you|would you|will you|"
    r"i want you to|i would like you to|i'd like you to|i want to|i would like to|i'd like to)\b[\s,]*)+",
    re.IGNORECASE,
)
_ADDING = re.compile(
    r"(?:(?:add|insert|include|put|i want|i would like|i'd like)\b(?!\s*-)"
    r"|(?:place|draw|hang|park|drop|stick|lay|give)\s+"
    r"(?=(?:an?|the|some|another|one|two|three|four|five|my|his|her|its|him|them|on|in|at|next|under|behind)\b))\s*",
    re.IGNORECASE,
)
_NOT_ADDING = re.compile(
    r"(?:remove|delete|erase|replace|swap|change|turn|make|recolou?r|crop|blur)\s+(?:an?|the|it|this|all)\b",
    re.IGNORECASE,
)
_THE_PICTURE = re.compile(
    rf"\s*,?\s*\b(?:in|into|to|onto|on|within)\s+(?:(?:the|this|that|my|our)\s+(?:{'|'.join(sorted(PICTURES))})"
    r"|it|there|here)\b(?!['’-])|\s+(?:there|here|too|as well|please)\b",
    re.IGNORECASE,
)
_HERE = re.compile(r"(?<=\bon)to\b|(?<=\bin)to\b", re.IGNORECASE)  # `onto`, `into`


@dataclass(frozen=True)
class Instruction:
    """What to add. thing: with its article and where it shall be; receiver: who is given it; to: what it is
    added to, without `to`."""

    thing: str
    receiver: str | None = None
    to: str | None = None

    @property
    def phrases(self) -> list[Phrase]:
        """Of the thing and its place."""
        return noun_phrases(self.thing)

    @property
    def told(self) -> str:
        """Every word of it that may come to stand in a target prompt."""
        return " ".join(part for part in (self.thing, self.receiver, self.to) if part)

    def things(self) -> list[Phrase]:
        """What is added, at least one. Raises `NotInferred` where that is nothing, or too much."""
        things = new_phrases(self.phrases)
        if len(things) > MAX_SUBJECTS:
            raise NotInferred("too many things would be added", [thing.name for thing in things])
        if not things or things[0].start:
            raise NotInferred(f"{self.thing!r} does not begin with a thing to add")
        return things


def read_instruction(prompt: str) -> Instruction | None:
    """The instruction that a prompt is; None: it describes a picture. Raises `NotInferred` for an
    instruction to do something else, or to add nothing."""
    polite = _POLITE.match(prompt)
    asked = prompt[polite.end() :] if polite else prompt
    if _NOT_ADDING.match(asked):
        raise NotInferred(f"{prompt!r} asks for something other than an addition")
    adding = _ADDING.match(asked)
    if adding is None:
        return read_thing(asked) if polite else None
    rest = _clean(asked[adding.end() :])
    if not noun_phrases(rest):
        raise NotInferred(f"{prompt!r} does not say what to add")
    return _give(rest) if adding[0].lower().startswith("give") else _add(rest)


def read_thing(prompt: str) -> Instruction | None:
    """The instruction that a lone thing means: `a dog on the bed`, `a dog with a hat`. None for more."""
    rest = _clean(prompt)
    described = [phrase for phrase in noun_phrases(rest) if not phrase.is_definite]
    lone = len(described) == 1 or (len(described) == 2 and described[1].kind in ("with", "verb"))
    return _add(rest) if lone and not is_framed(rest) and described[0].kind == "start" else None


def _clean(text: str) -> str:
    """Without what only speaks of the picture itself, and without a closing mark."""
    text = _HERE.sub("", _THE_PICTURE.sub("", " ".join(text.split())))
    return " ".join(text.split()).strip(" .!?,;")


def _add(rest: str) -> Instruction:
    thing, separator, to = _thing_first(rest).partition(" to ")
    phrases = noun_phrases(f"to {to}")
    if separator and phrases and phrases[0].is_thing and not re.search(r"\b(next|close|near|up)$", thing):
        return Instruction(_articled(thing), to=to)
    return Instruction(_articled(_thing_first(rest)))


def _thing_first(rest: str) -> str:
    """`on the table a cup` -> `a cup on the table`."""
    phrases = noun_phrases(rest)
    if len(phrases) == 2 and phrases[0].kind == "place" and phrases[1].kind == "next":
        return f"{rest[phrases[1].start :]} {rest[: phrases[0].end]}"
    return rest


def _give(rest: str) -> Instruction:
    phrases = noun_phrases(rest)
    if len(phrases) > 1 and phrases[1].kind == "next":
        return Instruction(rest[phrases[1].start :], receiver=rest[: phrases[0].end])
    thing, _, receiver = rest.partition(" to ")
    return Instruction(_articled(thing), receiver=receiver or None)


def _articled(thing: str) -> str:
    """With an article where it has none: `dog` -> `a dog`."""
    first = next(iter(noun_phrases(thing)), None)
    if first is None or first.determiner or first.start:
        return thing
    return with_article(thing[: first.end]) + thing[first.end :] if first.words else thing
