"""Fifty of the detector's verdicts on pictures that models made, for a person to confirm or not."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

from toyland.score.drawings import DrawingJob
from toyland.score.insertions import InsertionJob
from toyland.score.instruments import Instruments, open_instruments
from toyland.score.made import load_made
from toyland.score.measuring import Laboratory
from toyland.score.scoring import QUICK, plan_score
from toyland.score.sheets import save_sheet, with_boxes, with_caption
from workers.addit.localizers import Picture

VERDICTS = 50
PER_SHEET, COLUMNS = 10, 5


@dataclass(frozen=True)
class Shown:
    """A picture with its boxes drawn in, and what the detector says of the subject."""

    picture: Picture
    subject: str
    prompt: str
    score: float

    @property
    def verdict(self) -> str:
        """In words."""
        return f"yes, {self.score:.2f}" if self.score else "no"


def write_verdicts(laboratory: Laboratory, folder: Path) -> None:
    """Contact sheets and `verdicts.json`, whose `right` a person fills with true or false: is the subject
    there, or not there, as the detector says?"""
    score = plan_score(laboratory, QUICK)
    chosen = mixed(score.drawings, score.insertions, VERDICTS)
    laboratory.measure(chosen, "pictures")
    instruments = open_instruments(laboratory.weights, laboratory.workshop, laboratory.versions)
    shown = [show(instruments, job) for job in chosen]
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(shown), PER_SHEET):
        sheet = [numbered(one, first + at) for at, one in enumerate(shown[first : first + PER_SHEET])]
        save_sheet(sheet, COLUMNS, folder / f"verdicts-{1 + first // PER_SHEET}.png")
    text = json.dumps([entry(one, number) for number, one in enumerate(shown)], indent=1)
    (folder / "verdicts.json").write_text(text + "\n", encoding="utf-8")


def mixed(
    drawings: Sequence[DrawingJob], insertions: Sequence[InsertionJob], count: int
) -> list[DrawingJob | InsertionJob]:
    """Both kinds in turn, whatever the detector said of them."""
    pairs = zip_longest(drawings, insertions)
    return list(islice((job for pair in pairs for job in pair if job is not None), count))


def show(instruments: Instruments, job: DrawingJob | InsertionJob) -> Shown:
    """A measured job's picture as the detector sees it."""
    picture = load_made(instruments.made / f"{job.made_key}.npz").picture
    found, subject = instruments.detector.detect(picture), job.task.subject
    prompt = job.task.caption if isinstance(job, DrawingJob) else job.task.prompt
    score = max((thing.score for thing in found if thing.name == subject), default=0.0)
    return Shown(with_boxes(picture, found, subject), subject, prompt, score)


def numbered(shown: Shown, number: int) -> Picture:
    """With its number and question below."""
    return with_caption(shown.picture, [f"{number}: {shown.subject}? {shown.verdict}", shown.prompt])


def entry(shown: Shown, number: int) -> dict[str, object]:
    """What is recorded of one verdict."""
    return {
        "number": number,
        "prompt": shown.prompt,
        "subject": shown.subject,
        "detector": shown.verdict,
        "right": None,
    }


def read_verdicts(file: Path) -> Iterator[bool]:
    """Those that a person has judged."""
    entries = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return (bool(one["right"]) for one in entries if one["right"] is not None)
