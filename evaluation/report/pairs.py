"""A blind study of two methods: the pairs of what both made, as the studio shows them (docs/studio.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from evaluation.errors import EvaluationError
from evaluation.report.figures import grouped, newest
from toyland.score.ledger import Ledger, Record
from toyland.score.made import Made, load_made
from workers.addit.localizers import Picture

Case = tuple[str, ...]
CASE = ("suite", "model", "item", "seed")


def write_pairs(results: Path, methods: tuple[str, str], study: Path) -> int:
    """How many pairs there are: every case that both methods made a picture of. Raises EvaluationError where
    there is none."""
    records = newest(Ledger(results / "records.jsonl").records())
    ours, theirs = (_by_case(records, method, results / "made") for method in methods)
    cases = [case for case in ours if case in theirs]
    if not cases:
        raise EvaluationError(f"no case was made by both {methods[0]} and {methods[1]}")
    study.mkdir(parents=True, exist_ok=True)
    pairs = [_pair(number, methods, (ours[case], theirs[case]), study) for number, case in enumerate(cases)]
    (study / "pairs.json").write_text(json.dumps(pairs, indent=1))
    return len(pairs)


def _by_case(records: Sequence[Record], method: str, made: Path) -> Mapping[Case, tuple[Record, Made]]:
    found = {case: own[-1] for case, own in grouped(records, "method", *CASE).items() if case[0] == method}
    files = {case[1:]: (record, made / f"{record['made']}.npz") for case, record in found.items()}
    return {case: (record, load_made(file)) for case, (record, file) in files.items() if file.exists()}


def _pair(
    number: int, methods: tuple[str, str], made: tuple[tuple[Record, Made], ...], study: Path
) -> dict[str, Any]:
    record, before = made[0][0], made[0][1].source
    sides = [
        {"method": method, "image": _saved(one.picture, study / f"{number}-{side}.png")}
        for side, (method, (_, one)) in enumerate(zip(methods, made, strict=True))
    ]
    pair = {"id": str(number), "question": f"Which is better: “{record['prompts'][1]}”?"}
    pair |= {} if before is None else {"source": _saved(before, study / f"{number}-source.png")}
    return {**pair, "first": sides[0], "second": sides[1]}


def _saved(picture: Picture, file: Path) -> str:
    Image.fromarray(picture).save(file)
    return file.name
