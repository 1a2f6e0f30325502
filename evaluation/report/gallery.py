"""The pictures behind the figures, the worst cases first."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from io import BytesIO
from pathlib import Path

from PIL import Image

from evaluation.report.figures import value_of
from evaluation.report.plots import data_url
from toyland.score.ledger import Record
from toyland.score.made import load_made
from workers.addit.localizers import Picture

SHOWN = 12
"""Cases of every method."""
SIDE = 192
"""Pixels of a picture's longer side."""
QUALITY = 85


def gallery(name: str, records: Sequence[Record], made: Path) -> str:
    """Source and result of a method's worst cases, side by side."""
    cases = sorted(records, key=badness)[:SHOWN]
    figures = "".join(_case(record, made) for record in cases)
    return f"<h4>{escape(name)}</h4><div class='cases'>{figures}</div>"


def badness(record: Record) -> tuple[float, ...]:
    """The smaller the worse: not there, then not where it may be, then far from what was asked."""
    keys = ("added", "affordance", "relation", "clip_dir")
    found = (value_of(record, key) for key in keys)
    return tuple(1.0 if value is None else value for value in found)


def _case(record: Record, made: Path) -> str:
    file = made / f"{record['made']}.npz"
    before, after = record["prompts"]
    told = f"{record['item']} / {record['seed']}: {before} → {after}"
    if record["failed"]:
        told += f" — {record['failed']}"
    pictures = ""
    if file.exists():
        kept = load_made(file)
        assert kept.source is not None
        pictures = _shown(kept.source) + _shown(kept.picture)
    state = "good" if badness(record)[:3] == (1.0, 1.0, 1.0) else "bad"
    return f"<figure class='{state}'>{pictures}<figcaption>{escape(told)}</figcaption></figure>"


def _shown(picture: Picture) -> str:
    small = Image.fromarray(picture)
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    stream = BytesIO()
    small.save(stream, "JPEG", quality=QUALITY)
    return f"<img src='{data_url(stream.getvalue(), 'image/jpeg')}'>"
