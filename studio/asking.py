"""From what the form says to what the API is asked. Pure; raises Unclear."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from PIL import Image

from api_schemas.insertions import MAX_SEEDS
from api_schemas.sentences.errors import NotInferred
from api_schemas.sentences.instructions import read_instruction, read_thing
from api_schemas.subjects import as_said
from studio.areas import Unclear, box_of, painted

INCLUDE = ["mask", "attention", "cutout", "source"]
PREVIEWS = 4


@dataclass(frozen=True)
class Wish:
    """Everything the form says, in its order; empty fields say nothing.

    tries: 1..8 seeds; gamma: a number or `auto`; blend: steps; keep_best: of the tries, 0 keeps all
    """

    add: str = ""
    source_prompt: str = ""
    prompt: str = ""
    subject: str = ""
    tries: int = 1
    seed: str = ""
    keep_best: int = 0
    retry: bool = False
    box: str = ""
    avoid: str = ""
    gamma: str = ""
    structure: str = ""
    blend: str = ""
    localizer: str | None = None
    steps: str = ""
    guidance: str = ""
    inversion: str | None = None
    shadow: bool = True
    mode: str = "exact"
    preset: str | None = None


def wish_of(said: Sequence[Any]) -> Wish:
    """The wish that the form's values are, in its order; an untouched text is None."""
    values: dict[str, Any] = {
        field.name: "" if value is None and field.default == "" else value
        for field, value in zip(fields(Wish), said, strict=True)
    }
    return Wish(**values)


def sentence(add: str) -> str:
    """What was said as a sentence the service takes for an instruction: `a dog` -> `add a dog`."""
    try:
        lone = read_instruction(add) is None and read_thing(add) is not None
    except NotInferred:
        lone = False
    return f"add {add}" if lone else add


def subjects(text: str) -> str | list[str] | None:
    """One subject, or several by commas."""
    return as_said([part.strip() for part in text.split(",") if part.strip()])


def seeds(tries: int, first: str) -> list[int]:
    """So many seeds, from the first that was given or at random. Raises Unclear."""
    start = int(number(first, "The first seed") or 0) if first.strip() else secrets.randbelow(10_000)
    return [(start + number) % 2**32 for number in range(min(max(tries, 1), MAX_SEEDS))]


def texts(wish: Wish) -> dict[str, Any]:
    """Of a step: the target prompt, the subject and what the scene shows, as far as they are said."""
    said = {"prompt": wish.prompt.strip() or sentence(wish.add.strip()), "subject": subjects(wish.subject)}
    said["source_prompt"] = wish.source_prompt.strip() or None
    return {name: value for name, value in said.items() if value}


def options(wish: Wish) -> dict[str, Any]:
    """The method's knobs that were set."""
    said: dict[str, Any] = {
        "extended_scale": gamma(wish.gamma),
        "structure_transfer_step": number(wish.structure, "t_struct"),
        "blend_steps": numbers(wish.blend) or None,
        "localizer": wish.localizer or None,
        "num_inference_steps": number(wish.steps, "Steps"),
        "guidance_scale": number(wish.guidance, "Guidance"),
        "inversion": wish.inversion or None,
        "keep_shadow": None if wish.shadow else False,
        "keep_best": wish.keep_best if 0 < wish.keep_best < wish.tries else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def step(wish: Wish, layers: Sequence[Image.Image] = ()) -> dict[str, Any]:
    """The fields of a scene's insertion. layers: what was painted upon the picture"""
    region, avoid = painted(layers)
    said: dict[str, Any] = {
        **texts(wish),
        "seeds": seeds(wish.tries, wish.seed),
        "options": options(wish),
        "output": {"include": INCLUDE, "previews": PREVIEWS},
        "if_not_added": "retry" if wish.retry else None,
        "mode": wish.mode if wish.mode != "exact" else None,
        "preset": wish.preset or None,
        "region": region or box_of(wish.box),
        "avoid": avoid or box_of(wish.avoid),
    }
    return {name: value for name, value in said.items() if value is not None}


def gamma(text: str) -> float | str | None:
    """A number, `auto`, or None where nothing is said. Raises Unclear."""
    return "auto" if text.strip() == "auto" else number(text, "γ")


def number(text: str, what: str) -> float | None:
    """A number; None where nothing is said. Raises Unclear."""
    try:
        return float(text.replace(",", ".")) if text.strip() else None
    except ValueError:
        raise Unclear(f"{what} is a number, not {text!r}.") from None


def numbers(text: str) -> list[int]:
    """Whole numbers, by commas or spaces. Raises Unclear."""
    words = text.replace(",", " ").split()
    if not all(word.isdigit() for word in words):
        raise Unclear(f"Steps are whole numbers such as 15, not {text!r}.")
    return [int(word) for word in words]


def inside(path: str) -> dict[str, str]:
    """A picture's file, to be sent in the request itself."""
    return {"data": b64encode(Path(path).read_bytes()).decode()}
