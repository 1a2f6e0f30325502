"""What is known of the whole table so far, between two markers of docs/evaluation.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evaluation.report.figures import FIGURES, grouped
from evaluation.report.findings import findings
from evaluation.report.grids import at_our_background, grid_table, published
from evaluation.report.page import versions
from evaluation.report.plots import SWEEPS, sweep_picture
from evaluation.report.tables import Methods, Rows, main_table, relation_table
from evaluation.sourcing import model_name
from evaluation.table import OTHER_SUITES, SUITE, PaperTable, sessions

BEGIN, END = "<!-- the table begins: written by `toyland --write-docs` -->", "<!-- the table ends -->"
SHOWN = (
    "affordance", "kept", "inclusion", "clip_dir", "clip_im", "clip_out", "background_error",
    "background_ssim", "identical", "shift", "forwards", "seconds",
)  # fmt: skip
ABLATED = ("affordance", "kept", "inclusion", "clip_dir", "background_error", "background_ssim")


def write_docs(table: PaperTable, file: Path, command: str) -> None:
    """Renew the part of `file` between the markers, and the two curves beside it."""
    text = file.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    parts = "\n\n".join(_parts(table, command, file.parent / "assets" / "evaluation"))
    file.write_text(f"{before}{BEGIN}\n{parts}\n{END}{after}", encoding="utf-8")


def _parts(table: PaperTable, command: str, assets: Path) -> Iterator[str]:
    records = table.records()
    yield from _about(table, command)
    methods: Methods = grouped((record for record in records if record["suite"] == SUITE), "method")
    whole = {key: own for key, own in methods.items() if not _is_variant(key[0])}
    if whole:
        yield f"### `{SUITE}`"
        yield _shown(main_table(SUITE, whole, _figures(SHOWN)))
        yield "\n".join(f"- {said}" for said in findings(methods))
    variants = {key: own for key, own in methods.items() if _is_variant(key[0])}
    if variants:
        yield "### Ablations and sweeps"
        yield _shown(main_table(SUITE, variants, _figures(ABLATED)))
        yield from _curves(methods, assets)
    for suite in OTHER_SUITES:
        own: Methods = grouped((record for record in records if record["suite"] == suite), "method")
        if own:
            yield f"### `{suite}`"
            relations = relation_table(suite, own)
            yield _shown(main_table(suite, own, _figures((*ABLATED, "clip_im", "clip_out"))))
            yield from ([] if relations is None else [_shown(relations)])
    yield from _grids(table.results, model_name(table.bench))


def _about(table: PaperTable, command: str) -> Iterator[str]:
    """Command, versions, wall time, and how much of everything is done."""
    runs = sessions(table.results)
    minutes = sum(seconds for seconds, _, _ in runs) / 60
    used = sorted({f"{count} process{'es' * (count > 1)} on {cores} CPUs" for _, count, cores in runs})
    yield f"`{command}`, {versions()}; weights `{model_name(table.bench)}`."
    if runs:
        yield f"Wall time of all runs so far: {minutes:.0f} minutes, {', '.join(used)}."
    rows = [(title, f"{done} of {wanted}") for title, done, wanted in table.progress()]
    yield _shown(Rows("", ("part", "pictures measured"), tuple(rows)))
    missing = [title for title, done in rows if done.split(" of ")[0] != done.split(" of ")[1]]
    yield f"Still to be measured: {'; '.join(missing)}." if missing else "All of it is measured."


def _is_variant(name: str) -> bool:
    """Whether it is Add-it with one thing changed: an ablation, a point of a sweep."""
    return name.startswith("addit-") and name not in ("addit-reference", "addit-strict", "addit-tuned")


def _figures(keys: Sequence[str]) -> list[Any]:
    return [figure for figure in FIGURES if figure.key in keys]


def _shown(rows: Rows) -> str:
    return rows.to_markdown()


def _curves(methods: Methods, assets: Path) -> Iterator[str]:
    for sweep in SWEEPS:
        picture = sweep_picture(sweep, methods)
        if picture is not None:
            assets.mkdir(parents=True, exist_ok=True)
            (assets / f"{sweep}.png").write_bytes(picture)
            yield f"![{sweep}](assets/evaluation/{sweep}.png)"


def _grids(folder: Path, model: str) -> Iterator[str]:
    """Every grid that was tried on these weights."""
    ours = [grid for grid in published(folder) if grid.model == model]
    if ours:
        yield f"### Tuning\n\nScores of every setting on {ours[0].about}; in bold what was chosen."
        yield _shown(grid_table(ours))
        kept = at_our_background(ours)
        yield from [] if kept is None else [kept]
