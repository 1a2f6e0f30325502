"""Where a benchmark's figures go: a table to stdout, values to a file, a block of docs/method.md."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.figures import Figures, describe_machine, to_markdown, to_table

PAGES = Path(__file__).parent.parent / "docs"
PAGE = PAGES / "method.md"
PAPER_WIDTH = 140
"""Columns where stdout is no terminal."""

Scenes = Annotated[int, typer.Option(min=1, help="How many of the fixed scenes.")]
Processes = Annotated[int, typer.Option(min=1, help="Each works with one thread.")]
JsonFile = Annotated[Path, typer.Option("--json", help="Where the values go.")]
Docs = Annotated[bool, typer.Option("--docs", help="Put the table into docs/method.md too.")]
ScalingDocs = Annotated[bool, typer.Option("--docs", help="Put the table into docs/scaling.md too.")]


def report(
    name: str,
    figures: Figures,
    file: Path,
    docs: bool,
    worded: Callable[[Figures], str] = to_markdown,
    page: Path | None = None,
) -> None:
    """Print the table, write the values, and with `docs` the block `name` of the page (docs/method.md) as
    `worded`."""
    console = Console(width=None if sys.stdout.isatty() else PAPER_WIDTH)
    console.print(to_table(figures))
    file.parent.mkdir(parents=True, exist_ok=True)
    told = {"machine": describe_machine(), "command": command(), name: figures.values}
    file.write_text(json.dumps(told, indent=1))
    if docs:
        page = page or PAGE
        page.write_text(with_block(page.read_text(), name, worded(figures)))


def command() -> str:
    """This process as it was asked for."""
    return shlex.join(["python", *sys.orig_argv[1:]])


def measured(figures: Figures, libraries: Sequence[str] = ("rq", "redis")) -> str:
    """The table over the command and the machine that it comes from, with versions of what decides."""
    machine = describe_machine()
    versions = ", ".join(f"{name} {machine[name]}" for name in ("python", *libraries))
    told = f"`{command()}`; {machine['cores']} cores of {machine['processor']}, {versions}, {date.today()}."
    return f"{to_markdown(figures)}\n\n{told}"


def measured_engine(figures: Figures) -> str:
    """The same of what one process computes."""
    return measured(figures, ("torch", "diffusers"))


def pictured(figures: Figures, picture: str) -> str:
    """The table under a picture of the page's folder."""
    return f"![{figures.title}]({picture})\n\n{to_markdown(figures)}"


def with_block(page: str, name: str, text: str) -> str:
    """The page with `text` between `<!-- name ... -->` and `<!-- /name -->`.

    Raises `ValueError` for a page that has no such block.
    """
    place = re.compile(rf"(<!-- {re.escape(name)}\b[^>]*-->\n).*?(<!-- /{re.escape(name)} -->)", re.DOTALL)
    written, count = place.subn(lambda found: f"{found[1]}{text}\n{found[2]}", page)
    if count != 1:
        raise ValueError(f"the page has {count} blocks {name!r}")
    return written
