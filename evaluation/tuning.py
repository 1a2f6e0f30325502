"""The same budget for everybody: nine settings of each method on validation noise, all published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from evaluation.methods.catalogue import Places, catalogue, preset
from evaluation.methods.flowedit import FlowEdit
from evaluation.methods.method import Method
from evaluation.methods.pipelines import instruct_pix2pix, kontext, qwen_image_edit
from evaluation.methods.prompt_to_prompt import PromptToPrompt
from evaluation.methods.sdedit import SDEdit
from evaluation.methods.toyland_rival import ToylandRival
from evaluation.report.figures import newest, values_of
from evaluation.running import Evaluation, plain
from evaluation.sourcing import model_name
from evaluation.suites.items import Item
from toyland.score.ledger import Record
from toyland.score.statistics import to_decibels
from workers.models.profiles import ModelProfile

VALIDATION_SEED = 1_000_000
"""Added to items' seeds: no target's noise of a tuning is seen again in a test."""
GAMMAS = (-0.05, 0.0, 0.05)
"""Beside the served one."""
TRANSFER_REACH = 2
"""Steps before and after the served one, fewer where that begins earlier."""
STRENGTHS = (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
CROSS_SHARES, SELF_SHARES = (0.2, 0.4, 0.8), (0.0, 0.1, 0.4)
"""From the authors' down: what held a U-Net holds a transformer that attends over the whole picture more."""
FIRSTS, FLOW_GUIDANCES = (20, 24, 27), (3.5, 5.5, 7.5)
TEXT_GUIDANCES, IMAGE_GUIDANCES = (5.0, 7.5, 10.0), (1.2, 1.5, 1.8)
ONE_GUIDANCES = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.5, 7.0)
RIVAL_GUIDANCES = (2.0, 4.0, 6.0)


def grids(profile: ModelProfile, places: Places) -> Mapping[str, tuple[Method, ...]]:
    """By method, its settings. Those that a person gives are there when they are given."""
    known, served = catalogue(profile, places), profile.presets["paper-real"]
    gamma, transfer, guidance = served.extended_scale, served.structure_transfer_step, served.guidance_scale
    assert isinstance(gamma, float), "every profile serves a number"
    reach = min(TRANSFER_REACH, transfer)
    addit = (
        preset(profile, extended_scale=round(gamma + change, 3), structure_transfer_step=step)
        for change, step in product(GAMMAS, (transfer - reach, transfer, transfer + reach))
    )
    found: dict[str, tuple[Method, ...]] = {
        "addit": tuple(addit),
        "sdedit": tuple(SDEdit(strength, guidance) for strength in STRENGTHS),
        "prompt-to-prompt": tuple(
            PromptToPrompt(cross, own, guidance) for cross, own in product(CROSS_SHARES, SELF_SHARES)
        ),
        "flowedit": tuple(
            FlowEdit(first=first, guidance=scale) for first, scale in product(FIRSTS, FLOW_GUIDANCES)
        ),
        "instruct-pix2pix": _pix2pix(instruct_pix2pix().place),
        "magicbrush": _pix2pix("vinesmsuic/magicbrush-jul7"),
        "kontext": tuple(map(kontext, ONE_GUIDANCES)),
        "qwen-image-edit": tuple(map(qwen_image_edit, ONE_GUIDANCES)),
    }
    if places.erasedraw:
        found["erasedraw"] = _pix2pix(str(places.erasedraw))
    if "toyland-rival" in known:
        rival = known["toyland-rival"].method
        assert isinstance(rival, ToylandRival)
        found["toyland-rival"] = tuple(
            replace(rival, guidance=text, image_guidance=image)
            for text, image in product(RIVAL_GUIDANCES, IMAGE_GUIDANCES)
        )
    return found


def _pix2pix(place: str) -> tuple[Method, ...]:
    return tuple(
        instruct_pix2pix(place, text, image) for text, image in product(TEXT_GUIDANCES, IMAGE_GUIDANCES)
    )


def tune(evaluation: Evaluation, name: str, grid: Sequence[Method], items: Sequence[Item], seeds: int) -> int:
    """Measure every setting; see `choose`.

    evaluation: of the validation suite, in a folder of its own
    """
    evaluation.run(tries(name, grid), items, validation_seeds(seeds))
    return choose(evaluation, name, grid, items, seeds)


def tries(name: str, grid: Sequence[Method]) -> dict[str, Method]:
    """The settings under names of their own."""
    return {f"{name}#{number}": method for number, method in enumerate(grid)}


def validation_seeds(count: int) -> list[int]:
    """What is added to items' own."""
    return [VALIDATION_SEED + seed for seed in range(count)]


def choose(
    evaluation: Evaluation, name: str, grid: Sequence[Method], items: Sequence[Item], seeds: int
) -> int:
    """Write the whole grid with its scores, all of which are measured, and give the best one's number."""
    model, wanted = model_name(evaluation.bench), {item.name for item in items}
    records = [
        record
        for record in newest(evaluation.records.records())
        if record["item"] in wanted and record["model"] == model
    ]
    scores = [score([record for record in records if record["method"] == each]) for each in tries(name, grid)]
    best = max(range(len(grid)), key=scores.__getitem__)
    points = [
        {
            "settings": plain(method),
            "score": scores[number][0],
            "background": float(to_decibels(np.asarray(-scores[number][1]))),
            "chosen": number == best,
        }
        for number, method in enumerate(grid)
    ]
    about = f"{evaluation.suite}, {len(items)} items x {seeds} seeds"
    text = json.dumps({"about": about, "model": model, "best": best, "points": points}, indent=1)
    file = tuned_file(evaluation.folder.parent, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n", encoding="utf-8")
    return best


def tuned_file(folder: Path, name: str) -> Path:
    """Where a method's grid is published."""
    return folder / "tuned" / f"{name}.json"


def tuned(folder: Path, name: str, grid: Sequence[Method], model: str) -> Method | None:
    """The setting that a tuning of this model chose; None where there was none."""
    file = tuned_file(folder, name)
    if not file.exists():
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    return grid[found["best"]] if found["model"] == model else None


def score(records: Sequence[Record]) -> tuple[float, float]:
    """Affordance, where places are known; else inclusion times CLIP_dir. Of equals the one that keeps the
    background better."""
    held = _mean(records, "affordance")
    if held is None:
        held = (_mean(records, "inclusion") or 0.0) * max(0.0, _mean(records, "clip_dir") or 0.0)
    return held, -(_mean(records, "background_error") or 0.0)


def _mean(records: Sequence[Record], key: str) -> float | None:
    values = [value for seeds in values_of(records, key).values() for value in seeds]
    return sum(values) / len(values) if values else None
