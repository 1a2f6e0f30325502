"""The source prompt from the target's: one thing less, and the sentence closed over the gap."""

from __future__ import annotations

import re
from collections.abc import Sequence

from api_schemas.sentences.phrases import Phrase, noun_phrases
from api_schemas.sentences.words import SETTINGS


def without(prompt: str, phrases: Sequence[Phrase], index: int) -> str | None:
    """The prompt without `phrases[index]` and what belongs to it; None where no thing would be left."""
    cut = _cut(prompt, phrases, index)
    if cut is None:
        return None
    before, after = prompt[: cut[0]].rstrip(" ,"), prompt[cut[1] :].lstrip()
    gap = "" if not after or after[0] in ",.;:!?" else " "
    rest = " ".join(f"{before}{gap}{after}".split())
    return rest if noun_phrases(rest) else None


def _cut(prompt: str, phrases: Sequence[Phrase], index: int) -> tuple[int, int] | None:
    """The characters that go: first, and one past the last."""
    thing, later = phrases[index], phrases[index + 1 :]
    if thing.kind in ("start", "place", "next"):
        if thing.link and thing.kind == "start":  # a sentence of its own
            return thing.start, _sentence_end(prompt, thing.end)
        return _up_to_the_scene(thing, later)
    end = _end(prompt, phrases, index)
    also = re.compile(r"\s*and\s+(?=\w+ing\b)").match(prompt, end)
    if thing.kind == "verb" and also:  # `wearing a hat and holding a flag`
        return thing.link_start, also.end()
    following = next((phrase for phrase in later if phrase.link_start >= end), None)
    if thing.kind == "with" and following and following.kind == "and" and not following.is_loose:
        return thing.start, following.start  # `with a cat and a bed`
    return thing.link_start, end


def _up_to_the_scene(thing: Phrase, later: Sequence[Phrase]) -> tuple[int, int] | None:
    """Up to what comes in its stead: `a dog lying on a bed` -> `a bed`; never what it wears or holds."""
    scene = next((phrase for phrase in later if phrase.kind != "verb"), None)
    return (thing.start, scene.start) if scene else None


def _end(prompt: str, phrases: Sequence[Phrase], index: int) -> int:
    """Where what belongs to a thing ends: its place and what it does, but not the time."""
    thing, end = phrases[index], phrases[index].end
    later = list(phrases[index + 1 :])
    if _owns_its_place(phrases, index):
        while later and later[0].kind in ("place", "verb", "with") and later[0].head not in SETTINGS:
            end = later.pop(0).end
    mark = re.compile(r"[,.;:!?]").search(prompt, end)
    ends = [later[0].link_start] if later else []
    return max(thing.end, min([*ends, *([mark.start()] if mark else []), len(prompt)]))


def _owns_its_place(phrases: Sequence[Phrase], index: int) -> bool:
    """In `a room with a bed and a cat on the bed` the cat does; in `a man and a dog on a bench` both do, and
    in `a man holding a flag on a bench` the man."""
    thing = phrases[index]
    if thing.kind == "verb":
        return not thing.link.endswith("ing")
    before = (phrase.kind for phrase in reversed(phrases[: index + 1]))
    return next((kind for kind in before if kind in ("with", "start")), "start") == "with"


def _sentence_end(prompt: str, at: int) -> int:
    mark = re.compile(r"[.;!?](?=\s|$)").search(prompt, at)
    return mark.end() if mark else len(prompt)
