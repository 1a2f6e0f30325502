"""What each command does."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from evaluation.errors import EvaluationError
from evaluation.methods.catalogue import Entry, Places, catalogue, find_methods
from evaluation.methods.method import Method, Workbench
from evaluation.metrics.judges import Judges, hub_judges, toyland_judges
from evaluation.picturing import write_pictures
from evaluation.report.docs import write_docs
from evaluation.report.figures import grouped, newest
from evaluation.report.page import write_report
from evaluation.report.pairs import write_pairs
from evaluation.report.tables import main_table
from evaluation.running import Evaluation
from evaluation.sourcing import model_name
from evaluation.suites.catalogue import IMPORTED, SUITES, open_suite
from evaluation.suites.emu_edit import import_emu_edit
from evaluation.suites.items import Item
from evaluation.table import TUNING, Amounts, PaperTable, measure_table
from evaluation.tuning import grids, tune, tuned
from toyland.workshop import Workshop
from toyland.world import World
from workers.models.loading import LoadOptions
from workers.models.profiles import ModelProfile, find_profile

TOYLAND = "toyland"
DOCS = Path("docs") / "evaluation.md"
COMMANDS = "commands.txt"
"""What was asked of a folder, a line each."""


def run(arguments: argparse.Namespace, command: str) -> None:
    """Run one of them. Raises `EvaluationError`; `AdditError` or `ModelError` where weights do not open."""
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    match arguments.command:
        case "suites":
            _list_suites()
        case "methods":
            _list_methods(arguments)
        case "import-emu-edit":
            folder = _suites(arguments) / IMPORTED
            count = import_emu_edit(arguments.source, folder)
            Console().print(f"{count} items in {folder}", markup=False)
        case "run":
            _note(arguments.folder, command)
            run_methods(arguments)
        case "tune":
            _note(arguments.folder, command)
            tune_methods(arguments)
        case "draw":
            folder = _suites(arguments) / arguments.suite
            count = write_pictures(open_bench(arguments), _items(arguments), folder)
            Console().print(f"{count} drawn; boxes belong to {folder / 'items.json'}", markup=False)
        case "toyland":
            _note(arguments.folder, command)
            run_table(arguments, command)
        case "study":
            folder = arguments.output or arguments.folder / "study"
            count = write_pairs(arguments.folder, (arguments.methods[0], arguments.methods[1]), folder)
            Console().print(f"{count} pairs in {folder}: python -m studio --study {folder}", markup=False)
        case "report":
            file = arguments.output or arguments.folder / "report.html"
            write_report(arguments.folder, file, "\n".join([*_noted(arguments.folder), command]))
            Console().print(str(file), markup=False)


def run_methods(arguments: argparse.Namespace) -> None:
    """Measure, then print the suite's table."""
    bench = open_bench(arguments)
    methods = {name: entry.method for name, entry in _methods(arguments, bench.profile).items()}
    if arguments.tuned:
        methods = _tuned(arguments, bench, methods)
    evaluation = Evaluation(arguments.folder, arguments.suite, bench, partial(_judges, arguments, bench))
    evaluation.run(methods, _items(arguments), range(arguments.seeds))
    records = [
        record
        for record in newest(evaluation.records.records())
        if (record["suite"], record["model"]) == (arguments.suite, model_name(bench))
    ]
    Console().print(main_table(arguments.suite, grouped(records, "method")).to_rich())


def run_table(arguments: argparse.Namespace, command: str) -> None:
    """Go on with the whole table; document it on the way, report when it ends or is stopped."""
    if arguments.rival and not (arguments.rival / "model_index.json").is_file():
        raise EvaluationError(f"{arguments.rival} is no pipeline: `python -m toyland train rival` makes one")
    amounts = Amounts(arguments.items, arguments.seeds, arguments.swept_items, arguments.tuning_items)
    table = PaperTable(
        arguments.folder, amounts, Places(rival=arguments.rival), lambda: Workshop(arguments.cache, 0).world
    )

    def write() -> None:
        if arguments.write_docs:
            write_docs(table, DOCS, command)

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped either way, it writes what is known
    with suppress(KeyboardInterrupt):
        measure_table(table, arguments.processes, arguments.minutes, write)
    write_report(arguments.folder, arguments.folder / "report.html", "\n".join(_noted(arguments.folder)))


def tune_methods(arguments: argparse.Namespace) -> None:
    """Measure every grid, print what was chosen."""
    bench = open_bench(arguments)
    known = grids(bench.profile, _places(arguments))
    chosen = [name for name in _methods(arguments, bench.profile) if name in known]
    if not chosen:
        raise EvaluationError(f"none of these methods is tuned; there are {', '.join(known)}")
    folder = arguments.folder / TUNING
    for name in chosen:
        evaluation = Evaluation(folder, arguments.suite, bench, partial(_judges, arguments, bench))
        best = tune(evaluation, name, known[name], _items(arguments), arguments.seeds)
        Console().print(f"{name}: {known[name][best]}", markup=False)


def open_bench(arguments: argparse.Namespace) -> Workbench:
    """The base model, opened when it is first needed."""
    profile = find_profile(arguments.model)
    key = arguments.service_key_file
    return Workbench(
        profile,
        LoadOptions(device=arguments.device, accepted_licences=arguments.accept_licence),
        service_key=key.read_text(encoding="utf-8").strip() if key else "",
    )


def _methods(arguments: argparse.Namespace, profile: ModelProfile) -> dict[str, Entry]:
    if not arguments.method:
        raise EvaluationError("say which: --method NAME, a name or a group of `python -m evaluation methods`")
    return find_methods(arguments.method, profile, _places(arguments))


def _places(arguments: argparse.Namespace) -> Places:
    return Places(arguments.erasedraw, arguments.rival, arguments.service)


def _tuned(
    arguments: argparse.Namespace, bench: Workbench, methods: Mapping[str, Method]
) -> dict[str, Method]:
    """Under names of their own; what was not tuned keeps its name and settings."""
    known, found = grids(bench.profile, _places(arguments)), dict[str, Method]()
    for name, method in methods.items():
        better = tuned(arguments.folder, name, known[name], model_name(bench)) if name in known else None
        found[name if better is None else f"{name}-tuned"] = better or method
    return found


def _items(arguments: argparse.Namespace) -> list[Item]:
    def world() -> World:
        return Workshop(arguments.cache, 0).world

    return open_suite(arguments.suite, _suites(arguments), world)[: arguments.items]


def _suites(arguments: argparse.Namespace) -> Path:
    folder: Path = arguments.folder / "suites"
    return folder


def _judges(arguments: argparse.Namespace, bench: Workbench) -> Judges:
    world = arguments.suite.startswith(TOYLAND) if arguments.judges == "auto" else arguments.judges == TOYLAND
    return toyland_judges() if world else hub_judges(arguments.clip, arguments.detector, bench.device)


def _note(folder: Path, command: str) -> None:
    """Keep the command in the folder: the report shows them all."""
    known = _noted(folder)
    if command not in known:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / COMMANDS).write_text("\n".join([*known, command]) + "\n", encoding="utf-8")


def _noted(folder: Path) -> list[str]:
    file = folder / COMMANDS
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _list_suites() -> None:
    table = Table("suite", "about")
    for name, suite in SUITES.items():
        table.add_row(name, suite.about)
    table.add_row(IMPORTED, "Emu Edit's additions, written by `import-emu-edit`")
    Console().print(table)


def _list_methods(arguments: argparse.Namespace) -> None:
    example = Places(Path("CHECKPOINT"), Path("FOLDER"), "URL")  # so that those are listed that need one
    table = Table("method", "group", "about", "needs")
    for name, entry in catalogue(find_profile(arguments.model), example).items():
        table.add_row(name, entry.group, entry.about, entry.needs)
    Console().print(table)
