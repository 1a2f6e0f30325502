"""`python -m evaluation`: suites and methods, runs and tunings, and the report of both."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from rich.console import Console

from evaluation import commands
from evaluation.commands import DOCS
from evaluation.errors import EvaluationError
from evaluation.metrics.judges import CLIP, DETECTOR
from evaluation.suites.emu_edit import HUB
from evaluation.table import Amounts
from toyland.__main__ import CACHE
from workers.addit.errors import AdditError
from workers.models.errors import ModelError

RESULTS = Path("evaluation-results")


def parse_arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, default=RESULTS, help="records, pictures and suites")
    parser.add_argument("--cache", type=Path, default=CACHE, help="Toyland's sprites")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    parts = parser.add_subparsers(dest="command", required=True)
    run = parts.add_parser("run", help="make and measure what was not before; print the table")
    run.add_argument("--suite", required=True, help="a name of `suites`, or a folder of your own")
    run.add_argument("--tuned", action="store_true", help="with the settings that `tune` chose, where it did")
    tune = parts.add_parser("tune", help="try nine settings of each method, publish them, keep the best")
    tune.add_argument("--suite", required=True, help="of validation items, where there is such a suite")
    draw = parts.add_parser(
        "draw", help="write a told suite's sources as pictures, for people to draw boxes in"
    )
    draw.add_argument("--suite", required=True, help="such as `affordance`")
    draw.add_argument("--items", type=int, help="no more than so many, the first ones")
    _add_what(draw)
    for each, items, seeds in ((run, None, 1), (tune, 12, 1)):
        _add_what(each)
        each.add_argument("--items", type=int, default=items, help="no more than so many, the first ones")
        each.add_argument("--seeds", type=int, default=seeds, help="of every item")
    _add_what(parts.add_parser("methods", help="list them"))
    parts.add_parser("suites", help="list them")
    emu = parts.add_parser("import-emu-edit", help="write Emu Edit's additions as a suite")
    emu.add_argument("--source", default=HUB, help="a folder of parquet or JSON lines files, or an address")
    report = parts.add_parser("report", help="write one HTML file of all that was measured")
    report.add_argument("--output", type=Path, help="by default report.html in the folder")
    _add_toyland(parts.add_parser("toyland", help="the whole table of the paper on the embedded model"))
    study = parts.add_parser(
        "study", help="write the pairs of two methods, for people to judge in the studio"
    )
    study.add_argument("methods", nargs=2, metavar="METHOD", help="as they stand in the records")
    study.add_argument("--output", type=Path, help="by default study in the folder")
    return parser.parse_args(given)


def _add_toyland(parser: argparse.ArgumentParser) -> None:
    """How much of it, in how long, and where to."""
    usual = Amounts()
    parser.add_argument("--items", type=int, default=usual.items, help="of the table")
    parser.add_argument("--seeds", type=int, default=usual.seeds, help="of every item of the table")
    parser.add_argument("--swept-items", type=int, default=usual.swept, help="of ablations and sweeps")
    parser.add_argument("--tuning-items", type=int, default=usual.tuned_on, help="of the validation suite")
    parser.add_argument("--rival", type=Path, help="folder of the trained rival")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="each works with one thread")
    parser.add_argument("--minutes", type=float, help="no item is begun after so many; 0 only writes")
    parser.add_argument("--write-docs", action="store_true", help=f"what is known so far, into {DOCS}")


def _add_what(parser: argparse.ArgumentParser) -> None:
    """Methods, the model, the judges, and what some methods must be given."""
    parser.add_argument(
        "--method", action="append", default=[], help="a name or a group of `methods`; may be repeated"
    )
    parser.add_argument("--model", default="embedded", help="profile of the base, as the service names it")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, …")
    parser.add_argument("--accept-licence", action="append", default=[], help="of the base's weights")
    parser.add_argument(
        "--judges", choices=("auto", "toyland", "hub"), default="auto", help="auto: by the suite's name"
    )
    parser.add_argument("--clip", default=CLIP, help="hub name or directory; empty: no CLIP figures")
    parser.add_argument("--detector", default=DETECTOR, help="Grounding DINO or OWLv2")
    parser.add_argument("--erasedraw", type=Path, help="its checkpoint")
    parser.add_argument("--rival", type=Path, help="folder of Toyland's trained rival")
    parser.add_argument("--service", help="URL of a running service")
    parser.add_argument("--service-key-file", type=Path, help="holds a tenant's key")


def main(given: list[str] | None = None) -> int:
    """Run one command; 2 for what the caller can mend: weights that are not at hand, a licence, a name."""
    given = sys.argv[1:] if given is None else given
    try:
        commands.run(parse_arguments(given), told(given))
    except (EvaluationError, AdditError, ModelError) as error:
        Console(stderr=True).print(str(error), markup=False)
        return 2
    return 0


def told(given: list[str]) -> str:
    """The command as reports show it: nobody's home is told."""
    home = f"{Path.home()}/"
    words = [
        f"~/{shlex.quote(rest)}" if (rest := word.removeprefix(home)) != word else shlex.quote(word)
        for word in given
    ]
    return " ".join(("python -m evaluation", *words))


if __name__ == "__main__":
    raise SystemExit(main())
