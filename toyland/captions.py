"""How people name a picture: the scene, its light, the things in it, and where they are.

Each template says a label in one way. Two of them are never used in training, so that a sentence of a new
form can be tried; their words all occur in the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from toyland.hosts import can_carry
from toyland.label import Label, Thing
from toyland.light import Condition
from toyland.paint import Rng
from toyland.phrases import (
    CONDITION_PHRASES,
    INSIDE_PHRASES,
    SCENE_PHRASES,
    place_phrases,
    short_place,
    with_article,
)
from toyland.zones import CARRIED, Zone

CONDITION_SHARE = 0.35  # of captions name a light that is not plain day
WORDS_SHARE = 0.75  # of adjectives that may be told are


@dataclass(frozen=True)
class Phrase:
    """A thing with what it carries ("a snowman wearing a hat"), where it is, and which thing it stands next
    to."""

    text: str
    place: str
    short: str
    index: int
    neighbour: int | None


@dataclass(frozen=True)
class Parts:
    """A label taken apart: the scene alone, the scene after "in" or "at", the things."""

    scene: str
    inside: str
    phrases: tuple[Phrase, ...]

    @property
    def with_things(self) -> str:
        """The scene with all things."""
        return self.scene + _with(self.phrases)

    @property
    def first_placed(self) -> str:
        """The first thing where it is, with the others."""
        return f"{self.phrases[0].text} {self.phrases[0].place}{_with(self.phrases[1:])}"

    @property
    def all_inside(self) -> str:
        """All things in the scene."""
        return f"{_and(self.phrases)} {self.inside}"


@dataclass(frozen=True)
class Template:
    """One way to word a picture. `share` is its weight among those that fit it."""

    name: str
    share: float
    text: Callable[[Parts], str]
    fits: Callable[[Parts], bool] = lambda parts: bool(parts.phrases)


def _always(parts: Parts) -> bool:
    return True


TRAINED_TEMPLATES = (
    Template("plain", 0.45, lambda parts: f"a photo of {parts.with_things}", _always),
    Template("scene", 0.08, lambda parts: parts.with_things, _always),
    Template("picture", 0.07, lambda parts: f"a picture of {parts.with_things}", _always),
    Template("showing", 0.05, lambda parts: f"a photo showing {parts.with_things}", _always),
    Template("photo placed", 0.10, lambda parts: f"a photo of {parts.first_placed}"),
    Template("placed", 0.07, lambda parts: parts.first_placed),
    Template("there is", 0.04, lambda parts: f"there is {parts.first_placed}"),
    Template("inside", 0.04, lambda parts: parts.all_inside),
    Template("photo inside", 0.03, lambda parts: f"a photo of {parts.all_inside}"),
    Template("each placed", 0.07, lambda parts: f"{parts.scene} with {_each_placed(parts.phrases)}"),
    Template(
        "next to", 0.5, lambda parts: f"a photo of {_next_to(parts)}", lambda parts: _pair(parts) is not None
    ),
)

HELD_OUT_TEMPLATES = (
    Template("picture showing", 0.5, lambda parts: f"a picture showing {parts.all_inside}"),
    Template("in the picture", 0.5, lambda parts: f"in the picture there is {parts.first_placed}"),
)


def plain_caption(scene: str, names: Sequence[str]) -> str:
    """ "a photo of a beach with a dog and a cat"."""
    things = " and ".join(with_article(name) for name in names)
    return f"a photo of {SCENE_PHRASES[scene]}" + (f" with {things}" if names else "")


def caption(label: Label, rng: Rng, templates: Sequence[Template] = TRAINED_TEMPLATES) -> str:
    """One of the captions that a picture of this label may have."""
    parts = take_apart(label, rng)
    fitting = [template for template in templates if template.fits(parts)]
    shares = [template.share for template in fitting]
    chosen = rng.choice(len(fitting), p=[share / sum(shares) for share in shares])
    return fitting[int(chosen)].text(parts)


def plain_label_caption(label: Label) -> str:
    """The plain caption of a label: no light, no adjectives, but what is carried is named by its bearer."""
    return _plain(label.scene, _without_words(label.things))


def insertion_prompts(label: Label, name: str, zone: Zone) -> tuple[str, str]:
    """Plain captions of what is there, and of that with one thing more, which is named last.

    For a head or a hand: "... with a snowman", "... with a snowman wearing a hat".
    """
    things = _without_words(label.things)
    host = _free_host(things, zone) if zone in CARRIED else None
    return _plain(label.scene, things, host), _plain(
        label.scene, (*things, Thing(name, zone, host=host)), host
    )


def take_apart(label: Label, rng: Rng) -> Parts:
    """The label's phrases in random order, with or without its light and adjectives."""
    told = rng.random(len(label.things)) < WORDS_SHARE
    things = [
        thing if keep else replace(thing, words="") for thing, keep in zip(label.things, told, strict=True)
    ]
    phrases = _phrases(Label(label.scene, tuple(things)), rng)
    named = label.condition is not Condition.DAY and rng.random() < CONDITION_SHARE
    when = f" {CONDITION_PHRASES[label.condition]}" if named else ""
    placed = [Phrase(p.text, p.place + when, p.short, p.index, p.neighbour) for p in phrases]
    order = rng.permutation(len(placed))
    return Parts(
        SCENE_PHRASES[label.scene] + when,
        _inside(label) + when,
        tuple(placed[index] for index in order),
    )


def _plain(scene: str, things: Sequence[Thing], last: int | None = None) -> str:
    return f"a photo of {SCENE_PHRASES[scene]}{_with(_phrases(Label(scene, tuple(things)), last=last))}"


def _without_words(things: Sequence[Thing]) -> tuple[Thing, ...]:
    return tuple(replace(thing, words="") for thing in things)


def _inside(label: Label) -> str:
    if label.scene == "room" and all(thing.zone is Zone.TABLE for thing in label.things):
        return "on a table in a room"
    return INSIDE_PHRASES[label.scene]


def _phrases(label: Label, rng: Rng | None = None, last: int | None = None) -> list[Phrase]:
    """A phrase for each thing that is not carried, in order, but thing `last` at the end."""
    standing = [index for index, thing in enumerate(label.things) if thing.zone not in CARRIED]
    phrases = []
    for index in sorted(standing, key=lambda index: index == last):
        thing = label.things[index]
        places = place_phrases(label.scene, thing.zone)
        place = places[int(rng.integers(len(places)))] if rng else places[0]
        text = with_article(thing.name, thing.words) + _carrying(label.things, index)
        phrases.append(Phrase(text, place, short_place(label.scene, thing.zone), index, thing.host))
    return phrases


def _carrying(things: Sequence[Thing], host: int) -> str:
    carried = [thing for thing in things if thing.zone in CARRIED and thing.host == host]
    verbs = {Zone.HEAD: "wearing", Zone.HAND: "holding"}
    texts = [f"{verbs[thing.zone]} {with_article(thing.name, thing.words)}" for thing in carried]
    return " " + " and ".join(texts) if texts else ""


def _free_host(things: Sequence[Thing], zone: Zone) -> int:
    busy = {thing.host for thing in things if thing.zone is zone}
    return next(i for i, thing in enumerate(things) if can_carry(thing.name, zone) and i not in busy)


def _and(phrases: Sequence[Phrase]) -> str:
    return " and ".join(phrase.text for phrase in phrases)


def _with(phrases: Sequence[Phrase]) -> str:
    return f" with {_and(phrases)}" if phrases else ""


def _each_placed(phrases: Sequence[Phrase]) -> str:
    return " and ".join(f"{phrase.text} {phrase.short}" for phrase in phrases)


def _pair(parts: Parts) -> tuple[Phrase, Phrase] | None:
    """Two things of which one stands next to the other."""
    by_index = {phrase.index: phrase for phrase in parts.phrases}
    for phrase in parts.phrases:
        if phrase.neighbour is not None and phrase.neighbour in by_index:
            return phrase, by_index[phrase.neighbour]
    return None


def _next_to(parts: Parts) -> str:
    pair = _pair(parts)
    assert pair is not None
    others = [phrase for phrase in parts.phrases if phrase not in pair]
    return f"{pair[0].text} next to {pair[1].text} {parts.inside}{_with(others)}"
