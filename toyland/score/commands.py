"""The command line of what measures: `score`, `sweep`, `gallery`, `verdicts`, `captions`."""

import argparse
import os
from pathlib import Path
from typing import Literal

from toyland.workshop import Workshop

Part = Literal["drawings", "insertions", "components"]
PARTS: tuple[Part, ...] = ("drawings", "insertions", "components")
PRESETS = ("paper-generated", "paper-real")
SWEEPS = ("gamma", "schedule", "guidance", "structure", "blending", "localizer")


def add_score_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The sub-parsers."""
    score = _add(commands, "score", "measure the weights on tasks that no training saw")
    score.add_argument("--json", action="store_true", help="one object instead of a table")
    score.add_argument("--quick", action="store_true", help="60 fixed scenes, in six minutes at most")
    score.add_argument("--only", choices=PARTS)
    score.add_argument("--limit", type=int, help="no more than so many items of any kind")
    sweep = _add(commands, "sweep", "measure the knobs of the method, draw the plots of docs/")
    sweep.add_argument("sweep", choices=(*SWEEPS, "all"))
    sweep.add_argument("--preset", choices=PRESETS, help="one of the two instead of both")
    sweep.add_argument("--limit", type=int, default=60, help="scenes")
    _add(commands, "gallery", "write docs/toyland.md from what `score` measured")
    verdicts = _add(commands, "verdicts", "show fifty of the detector's verdicts, to be confirmed by eye")
    verdicts.add_argument("--output", type=Path, required=True)
    captions = commands.add_parser("captions", help="measure how often the captioner names a picture right")
    captions.add_argument("--count", type=int, default=100, help="held-out pictures")


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text)
    parser.add_argument("--pipeline", type=Path, help="a stage's result instead of the shipped pipeline")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="each works with one thread")
    return parser


def run_score_command(arguments: argparse.Namespace, workshop: Workshop) -> None:
    """Run one of them."""
    from toyland.score import running  # here, so that training needs neither the judges nor matplotlib

    commands = {
        "score": running.run_score,
        "sweep": running.run_sweep,
        "gallery": running.run_gallery,
        "verdicts": running.run_verdicts,
        "captions": running.run_captions,
    }
    commands[arguments.command](arguments, workshop)
