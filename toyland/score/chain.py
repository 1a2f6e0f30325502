"""Ten objects added one after the other to one held-out picture, and what is left of what no edit touched.

Ways to go on from an edit: as a scene (`workers.scenes`: its latents, a strict background); from its picture,
saved as 8-bit PNG and encoded again; and both with the paper's single blend in place of a strict background.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from toyland.belonging import standing_zones
from toyland.captions import insertion_prompts
from toyland.held_out import HELD_OUT_PAIRS
from toyland.label import Label, Thing
from toyland.plausible import places_for
from toyland.score.instruments import Instruments, profile_of, score_folder
from toyland.score.ledger import Ledger, Record, key_of
from toyland.score.measures import squared_error
from toyland.score.measuring import Laboratory
from toyland.score.sheets import save_sheet, with_caption
from toyland.score.statistics import decibels
from toyland.score.tasks import SCORE_SEED
from toyland.score.versions import Versions
from toyland.world import Sample, World
from toyland.zones import Zone
from workers.addit.config import AdditConfig
from workers.addit.edits import Edit
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.results import Insertion
from workers.addit.verdicts import Verdict, judge
from workers.own_pixels import own_pixels
from workers.scenes import Scene

PRESET = "paper-real"
EDITS, TRIES = 10, 3
TOLD = 2
"""Things added before that a prompt names: sentences of the world name three things at most."""
FIRST_CHAIN = 600_000
"""Sample numbers from here on."""
SCENES = ("meadow", "beach", "street", "desert", "lake")
"""Outdoors there is room for ten things."""

Carried = Literal["scene", "latents", "picture"]


@dataclass(frozen=True)
class Way:
    """name: in tables; carried: what the next edit starts from; strict: whether the background is"""

    name: str
    carried: Carried
    strict: bool

    def config(self, base: AdditConfig) -> AdditConfig:
        """The preset this way. Only a scene can keep a shadow: it composites pixels."""
        return replace(base, strict_background=self.strict, keep_shadow=self.carried == "scene")


WAYS = (
    Way("scene, strict background", "scene", strict=True),
    Way("latents, single blend", "latents", strict=False),
    Way("PNG between, strict background", "picture", strict=True),
    Way("PNG between, single blend", "picture", strict=False),
)


@dataclass(frozen=True)
class ChainJob:
    """Chain `number`, one way. config: the preset that way."""

    number: int
    way: Way
    config: AdditConfig
    versions: Versions

    @property
    def key(self) -> str:
        """Of pictures and verdicts: both come out of the chain as it goes."""
        versions = self.versions
        models = versions.method, versions.pipeline, versions.segmenter, versions.detector
        return key_of("chain", EDITS, TRIES, self.number, self.way, self.config, *models, versions.pictures)

    def run(self, instruments: Instruments) -> Record:
        """One entry for each edit; the pictures after each are kept beside it."""
        sample = chain_sample(instruments.world, self.number)
        scene = Scene(np.asarray(sample.picture), "")
        touched, told = np.zeros(scene.picture.shape[:2], bool), tuple[Thing, ...]()
        pictures, edits = [scene.picture], list[Record]()
        for number, (subject, zone) in enumerate(chain_subjects(instruments.world, sample)):
            edit = self._edit(scene, sample, told, subject, zone, number)
            row, verdict, done = surest(instruments.models, edit)
            if verdict.added:
                touched |= touched_by(done, row, edit.config)
                scene, told = self.follow(scene, edit, done, row), (*told, Thing(subject, zone))[-TOLD:]
            pictures.append(scene.picture)
            edits.append({"subject": subject, "added": verdict.added, **kept(sample, scene.picture, touched)})
        save_pictures(instruments.made, self.key, pictures)
        found = {thing.name for thing in instruments.detector.detect(scene.picture)}
        return {"edits": edits, "there": [edit["subject"] in found for edit in edits]}

    def _edit(
        self, scene: Scene, sample: Sample, told: Sequence[Thing], subject: str, zone: Zone, number: int
    ) -> Edit:
        """The next thing, in words that name the last ones; several seeds."""
        before, after = insertion_prompts(Label(sample.scene, tuple(told)), subject, zone)
        seeds = tuple(100 * number + seed for seed in range(TRIES))
        return Edit(replace(scene, prompt=before).source(), after, (subject,), seeds, self.config)

    def follow(self, scene: Scene, edit: Edit, done: Insertion, row: int) -> Scene:
        """The scene after an edit."""
        match self.way.carried:
            case "scene":
                return scene.added(edit, done, row)
            case "latents":
                return Scene(done.pictures[row], edit.prompt, done.latents[row : row + 1], scene)
            case "picture":
                return Scene(through_png(done.pictures[row]), edit.prompt, parent=scene)


def chain_sample(world: World, number: int) -> Sample:
    """An empty scene that nothing was trained on."""
    return world.draw(SCORE_SEED, FIRST_CHAIN + number, SCENES[number % len(SCENES)], count=0)


def chain_subjects(world: World, sample: Sample) -> Iterator[tuple[str, Zone]]:
    """`EDITS` objects that can stand in the scene, in random order, each with a zone for it."""
    rng, found = np.random.default_rng((SCORE_SEED, FIRST_CHAIN)), 0
    for number in rng.permutation(len(world.objects)):
        kind = world.objects[number]
        zones = standing_zones(kind, sample.scene)
        known = (kind.name, sample.scene) not in HELD_OUT_PAIRS
        if found < EDITS and zones and known and places_for(sample, kind.name) is not None:
            found += 1
            yield kind.name, zones[0]


def surest(models: Models, edit: Edit) -> tuple[int, Verdict, Insertion]:
    """The variation that the service would rank first, and what it would say of it."""
    done = insert(models, edit)
    assert done.located is not None
    assert models.detector is not None
    (subject,) = edit.subjects
    verdicts = [
        judge(done.source, picture, located, models.detector(picture, subject), None)
        for picture, (located,) in zip(done.pictures, done.located, strict=True)
    ]
    row = max(range(len(verdicts)), key=lambda row: verdicts[row].confidence)
    return row, verdicts[row], done


def touched_by(done: Insertion, row: int, config: AdditConfig) -> NDArray[np.bool_]:
    """(H, W): pixels of the edit's soft mask, and of the shadow where one was kept."""
    height, width = done.source.shape[:2]
    return np.asarray(own_pixels(done, row, config, (width, height))) > 0


def kept(sample: Sample, picture: Picture, touched: NDArray[np.bool_]) -> Record:
    """How the pixels that no edit touched so far compare with the picture at the start."""
    given = np.asarray(sample.picture)[~touched]
    now = picture[~touched]
    if not len(given):
        return {"error": None, "identical": True, "untouched": 0.0}
    return {
        "error": squared_error(now, given),
        "identical": bool((now == given).all()),
        "untouched": float((~touched).mean()),
    }


def through_png(picture: Picture) -> Picture:
    """Saved and opened again."""
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return np.asarray(Image.open(stream).convert("RGB"))


def save_pictures(folder: Path, key: str, pictures: Sequence[Picture]) -> None:
    """All of a chain, the first one first."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / f"{key}.npz", allow_pickle=False, pictures=np.stack(pictures))


def measure_chains(laboratory: Laboratory, chains: int, sheet: Path) -> dict[str, dict[str, object]]:
    """By way: dB of untouched pixels after each edit, all chains together; whether they are identical; how
    many things were added, and how many of all are seen at the end.

    sheet: where the first chain's pictures go
    """
    base = profile_of(laboratory.weights).presets[PRESET]
    jobs = {
        way.name: [ChainJob(number, way, way.config(base), laboratory.versions) for number in range(chains)]
        for way in WAYS
    }
    ledger = laboratory.measure([job for each in jobs.values() for job in each], "chains")
    draw_sheet([each[0] for each in jobs.values()], ledger, score_folder(laboratory.workshop) / "made", sheet)
    return {name: summary([ledger[job.key] for job in each]) for name, each in jobs.items()}


def summary(records: Sequence[Record]) -> dict[str, object]:
    """Of all chains of a way."""
    after = [[record["edits"][number] for record in records] for number in range(EDITS)]
    errors = [[edit["error"] for edit in edits if edit["error"] is not None] for edits in after]
    return {
        "psnr": [round(decibels(each).value, 2) if each else None for each in errors],
        "identical": [all(edit["identical"] for edit in edits) for edits in after],
        "untouched": [round(float(np.mean([edit["untouched"] for edit in edits])), 3) for edits in after],
        "added": float(np.mean([sum(edit["added"] for edit in record["edits"]) for record in records])),
        "there": float(np.mean([sum(record["there"]) for record in records])),
    }


def draw_sheet(jobs: Sequence[ChainJob], ledger: Ledger, made: Path, file: Path) -> None:
    """A row for each chain: the picture given, then after each edit, with what was to be added."""
    shown = list[Picture]()
    for job in jobs:
        with np.load(made / f"{job.key}.npz") as arrays:
            pictures = arrays["pictures"]
        words = [job.way.name, *(said(edit) for edit in ledger[job.key]["edits"])]
        shown += [with_caption(picture, [text]) for picture, text in zip(pictures, words, strict=True)]
    save_sheet(shown, EDITS + 1, file)


def said(edit: Record) -> str:
    """Of one edit."""
    return f"+ {edit['subject']}" if edit["added"] else f"({edit['subject']}: not added)"
