"""The pictures in examples/, a sentence for each: for the demo and a first try. Only a checkout has them."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, TypeAdapter

FOLDER = Path(__file__).parent.parent / "examples"


class Example(BaseModel):
    """One picture and an insertion that the embedded model does well."""

    file: str
    source_prompt: str
    prompt: str
    subject: str
    seed: int

    @property
    def path(self) -> Path:
        """Of the picture."""
        return FOLDER / self.file


def examples() -> list[Example]:
    """The best first; none where there is no checkout."""
    if not (FOLDER / "examples.json").exists():
        return []
    return TypeAdapter(list[Example]).validate_json((FOLDER / "examples.json").read_bytes())
