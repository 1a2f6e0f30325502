"""Toyland's captioner: its detector says what there may be, its CLIP which scene with which of it fits best.

Captions are plain ones of its world ("a photo of a beach with a dog and a man wearing a hat"); the words come
from `grammar.json`, beside the weights.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import log
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from workers.addit.localizers import Picture
from workers.models.toyland.clip import Clip, load_clip
from workers.models.toyland.detector import COARSEST, Detection, Detector, load_detector

DOUBTFUL = 0.1  # score of the detector below which nothing is considered
MOST_CANDIDATES = 5
MOST_THINGS = 4

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Grammar:
    """What `grammar.json` holds.

    side: pixels of a picture's side, as the world draws it
    scenes: their phrases; things: each with its article
    worn, held: what goes on heads and into hands; heads, hands: who has one
    """

    side: int
    scenes: tuple[str, ...]
    things: Mapping[str, str]
    worn: frozenset[str]
    held: frozenset[str]
    heads: frozenset[str]
    hands: frozenset[str]


@dataclass(frozen=True)
class Guess:
    """A scene with things in it. likelihood: logarithm of how sure the detector is of just these."""

    scene: str
    things: tuple[Detection, ...]
    likelihood: float


@dataclass(frozen=True)
class ToylandCaptioner:
    """Detector, CLIP and grammar of `folder`, opened on first use; always on the CPU, where they are fast."""

    folder: Path

    def __call__(self, picture: Picture) -> str:
        """See `workers.addit.models.Captioner`."""
        shown = resized(picture, self._grammar.side)
        best = self._best(shown, list(self._guesses(self._detector.detect(shown, DOUBTFUL))))
        return worded(best, self._grammar)

    def _guesses(self, found: Sequence[Detection]) -> Iterator[Guess]:
        """Every scene with every few of the likeliest things."""
        surest = {detection.name: detection for detection in reversed(found)}
        candidates = sorted(surest.values(), key=lambda one: -one.score)[:MOST_CANDIDATES]
        for count in range(min(MOST_THINGS, len(candidates)) + 1):
            for things in combinations(candidates, count):
                likelihood = sum(log(c.score if c in things else 1 - c.score) for c in candidates)
                yield from (Guess(scene, things, likelihood) for scene in self._grammar.scenes)

    def _best(self, shown: Picture, guesses: Sequence[Guess]) -> Guess:
        """The likeliest, by the detector and by CLIP's scaled cosine as another logarithm."""
        texts = self._clip.embed_texts([worded(guess, self._grammar) for guess in guesses])
        with torch.no_grad():
            cosines = texts @ self._clip.embed_pictures([shown])[0]
            seen = cosines * self._clip.log_scale.exp() + torch.tensor([g.likelihood for g in guesses])
        return guesses[int(seen.argmax())]

    @cached_property
    def _detector(self) -> Detector:
        return load_detector(self.folder / "detector")

    @cached_property
    def _clip(self) -> Clip:
        return load_clip(self.folder / "clip")

    @cached_property
    def _grammar(self) -> Grammar:
        return read_grammar(self.folder / "grammar.json")


def worded(guess: Guess, grammar: Grammar) -> str:
    """The plain caption: what is carried is told with who carries it."""
    bearers = {thing.name: bearer_of(thing, guess.things, grammar) for thing in guess.things}
    phrases = []
    for thing in guess.things:
        if bearers[thing.name] is None:
            carried = [name for name, bearer in bearers.items() if bearer == thing.name]
            phrases.append(_with_carried(thing.name, carried, grammar))
    things = f" with {' and '.join(phrases)}" if phrases else ""
    return f"a photo of {guess.scene}{things}"


def _with_carried(name: str, carried: Sequence[str], grammar: Grammar) -> str:
    verbs = [f"{'wearing' if one in grammar.worn else 'holding'} {grammar.things[one]}" for one in carried]
    return " ".join([grammar.things[name], " and ".join(verbs)]).rstrip()


def bearer_of(thing: Detection, things: Sequence[Detection], grammar: Grammar) -> str | None:
    """Who wears or holds it, by where it is; None where it stands for itself."""
    for other in things:
        on_head = thing.name in grammar.worn and other.name in grammar.heads
        in_hand = thing.name in grammar.held and other.name in grammar.hands
        if (on_head and is_on_head(thing.box, other.box)) or (in_hand and is_in_hand(thing.box, other.box)):
            return other.name
    return None


def is_on_head(box: Box, bearer: Box) -> bool:
    """Whether its foot is about where a head would be. Boxes: left, top, right, bottom, in pixels."""
    left, top, right, bottom = bearer
    height = bottom - top
    return left <= (box[0] + box[2]) / 2 <= right and top - height / 3 <= box[3] <= top + height / 2


def is_in_hand(box: Box, bearer: Box) -> bool:
    """Whether it touches the bearer and ends above its foot."""
    left, top, right, bottom = bearer
    touches = box[0] <= right and left <= box[2] and box[1] <= bottom and top <= box[3]
    return touches and box[3] < bottom - (bottom - top) / 10


def resized(picture: Picture, side: int) -> Picture:
    """About as large as the world's own pictures, its aspect kept, both sides multiples of the detector's."""
    height, width = picture.shape[:2]
    scale = side / (height * width) ** 0.5
    size = [max(1, round(pixels * scale / COARSEST)) * COARSEST for pixels in (width, height)]
    return np.asarray(Image.fromarray(picture).resize((size[0], size[1]), Image.Resampling.LANCZOS))


def read_grammar(file: Path) -> Grammar:
    """The grammar of a file."""
    fields = json.loads(file.read_text(encoding="utf-8"))
    sets = {name: frozenset(fields[name]) for name in ("worn", "held", "heads", "hands")}
    return Grammar(side=fields["side"], scenes=tuple(fields["scenes"]), things=fields["things"], **sets)
