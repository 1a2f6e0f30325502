"""The scenes of a suite and the plausible places that people draw in them, as the evaluation reads them.

A folder with `items.json`, whose entries keep whatever else they say, and pictures beside it:

    [{"name": "000", "src_prompt": "A photo of a bed", "tgt_prompt": "A photo of a bed with a dog on it",
      "subject_token": "dog", "image": "images/000.png", "boxes": [[40, 60, 120, 128]]}]

An entry without `image` takes the picture of its name. A folder without the file begins with its pictures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

from studio.areas import Unclear, corners_of

LIST = "items.json"
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
TEXTS = ("src_prompt", "tgt_prompt", "subject_token")

Box = tuple[int, int, int, int]
_writing = Lock()


@dataclass(frozen=True)
class Scene:
    """texts: what the picture shows, what it shall show, the new object
    boxes: left, top, right, bottom in the picture's pixels
    """

    name: str
    picture: Path
    texts: tuple[str, str, str] = ("", "", "")
    boxes: tuple[Box, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether the evaluation can judge places in it."""
        return bool(self.boxes) and all(self.texts)


def scenes(folder: Path) -> list[Scene]:
    """Those that have a picture, in the list's order. Raises Unclear for a list that is none."""
    return list(_scenes(folder, _entries(folder)))


def keep(folder: Path, scene: Scene) -> None:
    """Writes a scene's texts and boxes into the list; everything else of it stays. Raises Unclear."""
    with _writing:
        entries = _entries(folder)
        for number, entry in enumerate(entries):
            if _name(entry, number) == scene.name:
                entries[number] = _merged(entry, scene, folder)
        lines = ",\n".join(f" {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
        part = folder / f"{LIST}.part"
        part.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
        part.replace(folder / LIST)


def boxes_of(text: str, width: int, height: int) -> tuple[Box, ...]:
    """A box a line. width, height: of the picture. Raises Unclear for what is no box or reaches outside."""
    found = tuple(corners_of(line) for line in text.splitlines() if line.strip())
    for left, top, right, bottom in found:
        if left < 0 or top < 0 or right > width or bottom > height:
            raise Unclear(
                f"{left}, {top}, {right}, {bottom} reaches outside the picture of {width} × {height} pixels."
            )
    return found


def lines_of(boxes: Sequence[Box]) -> str:
    """What `boxes_of` reads."""
    return "\n".join(", ".join(map(str, box)) for box in boxes)


def first_open(found: Sequence[Scene]) -> int:
    """Where to begin: at the first scene that is not done, else at the first."""
    return next((index for index, scene in enumerate(found) if not scene.is_done), 0)


def _entries(folder: Path) -> list[dict[str, Any]]:
    file = folder / LIST
    if not file.exists():
        return [{"name": picture.stem, "image": picture.name} for picture in _pictures(folder)]
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Unclear(f"{file} is no list of scenes: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Unclear(f"{file} is no list of scenes.")
    return entries


def _pictures(folder: Path) -> list[Path]:
    """One of each name."""
    found = {file.stem: file for file in sorted(folder.glob("*")) if file.suffix.lower() in PICTURES}
    return list(found.values())


def _scenes(folder: Path, entries: Sequence[dict[str, Any]]) -> Iterator[Scene]:
    for number, entry in enumerate(entries):
        scene = Scene(_name(entry, number), folder)
        if (picture := _picture(folder, scene.name, entry)) is not None:
            source, prompt, subject = (str(entry.get(key, "")) for key in TEXTS)
            boxes = tuple((round(a), round(b), round(c), round(d)) for a, b, c, d in entry.get("boxes", ()))
            yield replace(scene, picture=picture, texts=(source, prompt, subject), boxes=boxes)


def _name(entry: dict[str, Any], number: int) -> str:
    return str(entry.get("name", f"{number:03d}"))


def _picture(folder: Path, name: str, entry: dict[str, Any]) -> Path | None:
    if "image" in entry:
        places = [folder / str(entry["image"])]
    else:
        places = [place / f"{name}{end}" for place in (folder, folder / "images") for end in PICTURES]
    return next((place for place in places if place.is_file()), None)


def _merged(entry: dict[str, Any], scene: Scene, folder: Path) -> dict[str, Any]:
    said = {key: text for key, text in zip(TEXTS, scene.texts, strict=True) if text}
    rest = {key: value for key, value in entry.items() if key != "boxes"}
    image = scene.picture.relative_to(folder).as_posix()
    boxes = {"boxes": [list(box) for box in scene.boxes]} if scene.boxes else {}
    return {**rest, "name": scene.name, **said, "image": image, **boxes}
