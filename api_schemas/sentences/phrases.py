"""The noun phrases of a sentence, each with what links it to what stands before, and which of them are new.

By word lists alone, so with limits: an unknown verb or an adjective behind its noun counts as part of the
name ("a dog barks" names a "dog barks"), and what a phrase belongs to is guessed from neighbourhood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from api_schemas.sentences.words import (
    ADJECTIVES,
    AND,
    DEFINITE,
    DETERMINERS,
    ED_NOUNS,
    ING_NOUNS,
    PICTURES,
    PLACES,
    PLACING,
    SETTINGS,
    VERBS,
    WITH,
    Word,
    is_name,
    split,
)

Kind = Literal["start", "and", "with", "verb", "place", "next"]

_PICTURE = f"(?:{'|'.join(sorted(PICTURES))})"
_FRAME = re.compile(
    rf"\s*(?:in (?:the|this) {_PICTURE},? )?"
    r"(?:(?:(?:an?|the|this) )?(?:(?!with |of |and |in |on )[\w-]+ ){0,3}?"
    rf"{_PICTURE}s?(?: of|:| showing| shows| depicting)\s)?"
    r"(?:there (?:is|are) )?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Phrase:
    """A noun phrase.

    kind, link: how, and by which word, it is linked to what stands before; "next" and "" where it is not
    contents: ` of water` of `a glass of water`
    link_start, start, end: characters where the link, the phrase and what follows it begin
    """

    kind: Kind
    link: str
    determiner: str | None
    words: tuple[str, ...]
    link_start: int
    start: int
    end: int
    contents: str = ""

    @property
    def head(self) -> str:
        """The noun, last of its words: `lamp` of `a red table lamp`."""
        return self.words[-1]

    @property
    def name(self) -> str:
        """Without article, common adjectives and participles: `table lamp` of `a small table lamp`."""
        kept = list(self.words)
        while len(kept) > 1 and _modifies(kept[0]):
            del kept[0]
        return " ".join(kept) + self.contents

    @property
    def is_thing(self) -> bool:
        """Whether it can be an object, rather than a side, a time or a light."""
        return self.head not in PLACES | SETTINGS

    @property
    def is_loose(self) -> bool:
        """Whether only a comma brings it, as `, soft light`."""
        return self.link == "," and self.determiner is None

    @property
    def is_definite(self) -> bool:
        """Whether it speaks of something known: `the bed`, `her`."""
        return self.determiner in DEFINITE


def noun_phrases(text: str) -> list[Phrase]:
    """In their order, without the frame ("a photo of", "there is") that says this is about a picture."""
    frame = _FRAME.match(text)
    begin = frame.end() if frame else 0
    words = [word for word in split(text) if word.start >= begin]
    return _with_contents(_chunk(words), text)


def is_framed(text: str) -> bool:
    """Whether it says that it describes a picture: `a photo of ...`."""
    frame = _FRAME.match(text)
    return frame is not None and bool(frame[0].strip())


def new_phrases(phrases: Sequence[Phrase], known: Sequence[Phrase] = ()) -> list[Phrase]:
    """Those that stand for a thing of their own and are not among the known ones, by their nouns.

    What belongs to a new thing ("a dog with a ball on a rug") is not counted beside it. Of things that come
    by a place or a loose comma ("at night", ", soft light") none is told where there are others.
    """
    left = Counter(phrase.head for phrase in known)
    contents = {phrase.contents for phrase in known}
    firm, loose = list[Phrase](), list[Phrase]()
    owned, between = False, False
    for phrase in phrases:
        between = phrase.link in ("between", "among") or (between and phrase.kind == "and")
        belongs = owned and (
            phrase.kind in ("place", "verb", "with")
            or between
            or (phrase.kind == "and" and phrase.is_definite)
        )
        if left[phrase.head]:
            left[phrase.head] -= 1
            owned = belongs and phrase.is_definite
            if phrase.contents and phrase.contents not in contents:
                firm.append(_contents_of(phrase))  # `a vase` -> `a vase of roses`
        elif not belongs and phrase.is_thing:
            (loose if phrase.kind == "place" or phrase.is_loose else firm).append(phrase)
            owned = True
    return firm or loose


def _chunk(words: Sequence[Word]) -> list[Phrase]:
    """One pass over the words: open ones gather into a name, closed ones end it and link the next."""
    found = list[Phrase]()
    name = list[Word]()
    determiner: Word | None = None
    kind: Kind = "start"
    link: Word | None = None

    def close(next_kind: Kind, next_link: Word | None) -> None:
        nonlocal determiner, kind, link
        if name:
            first = determiner or name[0]
            found.append(
                Phrase(
                    kind=kind,
                    link=link.text if link else "",
                    determiner=determiner.text if determiner else None,
                    words=tuple(word.text for word in name),
                    link_start=(link or first).start,
                    start=first.start,
                    end=name[-1].end,
                )
            )
            name.clear()
            kind, link = next_kind, next_link
        elif next_kind != "next":
            kind, link = _joined(kind, link, next_kind, next_link)
        determiner = None

    for index, word in enumerate(words):
        after = words[index + 1].text if index + 1 < len(words) else ""
        told = _kind(word.text, after, bool(name), determiner is not None)
        if told is None:
            name.append(word)
        elif told == "determiner":
            close("next", None)
            determiner = word
        elif told != "adverb":
            close(told, word)
    close("start", None)
    return found


def _joined(kind: Kind, link: Word | None, then: Kind, word: Word | None) -> tuple[Kind, Word | None]:
    """Of two links in a row the first counts (`next to`), but verbs and commas give way (`, lying on`)."""
    if kind in ("next", "start") or then == "start":
        return then, word
    if kind == "verb" or (link and link.text == ","):
        return then, link
    return kind, link


def _kind(
    word: str, after: str, inside: bool, determined: bool
) -> Kind | Literal["determiner", "adverb"] | None:
    """What a word is to the phrases around it; None: part of a name.

    after: the next word; inside: whether a name has begun; determined: whether an article stands before
    """
    if word in DETERMINERS:
        return "determiner"
    if word in WITH:
        return "with"
    if word in AND:
        return "and"
    if word in PLACING:
        return "place"
    if word in VERBS or _acts(word, after, inside, determined):
        return "verb"
    if not word[0].isalnum():
        return "start"
    if word.endswith("ly") and not inside and not determined and not (after and is_name(after)):
        return "adverb"
    return None


def _acts(word: str, after: str, inside: bool, determined: bool) -> bool:
    """Whether a participle does something ("a dog lying on") rather than describe ("a sleeping dog")."""
    if determined and not inside:
        return False
    if _is_active(word):
        return inside or not (after and is_name(after))
    return _is_passive(word) and after in PLACING | WITH


def _modifies(word: str) -> bool:
    """Whether a word in front of a noun only describes it, whatever it is: participles, adverbs."""
    return word in ADJECTIVES or _is_active(word) or _is_passive(word) or word.endswith("ly")


def _is_active(word: str) -> bool:
    last = word.rpartition("-")[2]
    return last.endswith("ing") and len(last) > 4 and last not in ING_NOUNS


def _is_passive(word: str) -> bool:
    return word.endswith("ed") and len(word) > 4 and word not in ED_NOUNS


def _contents_of(phrase: Phrase) -> Phrase:
    inner = tuple(phrase.contents.split()[1:])
    return replace(phrase, kind="with", link="of", determiner=None, words=inner, contents="")


def _with_contents(phrases: Sequence[Phrase], text: str) -> list[Phrase]:
    """`a glass` `of water` -> `a glass of water`: one thing, whose noun is the first."""
    merged = list[Phrase]()
    for phrase in phrases:
        last = merged[-1] if merged else None
        if last and phrase.link == "of" and phrase.determiner is None and last.is_thing:
            contents = text[last.end : phrase.end].lower()
            merged[-1] = replace(last, end=phrase.end, contents=last.contents + contents)
        else:
            merged.append(phrase)
    return merged
