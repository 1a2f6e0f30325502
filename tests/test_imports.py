"""Who may import whom (design table), who reads the environment, where a family's name may stand."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODELS = frozenset({"torch", "torchvision", "diffusers", "transformers", "sam2"})
WEB = frozenset({"fastapi", "starlette", "uvicorn"})


@dataclass(frozen=True)
class Room:
    """A folder or file, what it may import of ours, and of others: only `only`, or anything but `never`."""

    path: str
    ours: frozenset[str]
    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()


def room(path: str, ours: str, only: str | None = None, never: frozenset[str] = frozenset()) -> Room:
    return Room(path, frozenset(ours.split()), None if only is None else frozenset(only.split()), never)


STORE = "job_store runtime api_schemas"
EDITING = "workers.addit workers.models workers.compositing workers.own_pixels workers.scenes"
ROOMS = [
    room("api_schemas", "api_schemas", only="pydantic"),
    room("job_store", "job_store api_schemas", only="redis rq fsspec s3fs pydantic"),
    room("runtime", "runtime api_schemas", never=MODELS | WEB | {"redis", "rq"}),
    room("service", f"service {STORE}", never=MODELS),
    room("workers", f"workers {STORE}", never=WEB | MODELS),
    room("workers/insertion.py", f"workers {STORE}", never=WEB),
    room("workers/chaining.py", f"workers {STORE}", never=WEB),
    room("workers/scenes.py", "workers", never=WEB),
    room("workers/addit", "workers.addit", only="torch diffusers einops numpy PIL"),
    room("workers/models", "workers.addit workers.models", never=WEB | {"redis", "rq", "httpx"}),
    # What is verified on the first day includes the golden cases and the counting of a checkout.
    room("workers/verify", f"workers bench {STORE}", never=WEB | {"redis", "rq", "httpx"}),
    room("client", "client api_schemas", only="httpx pydantic rich tenacity typer"),
    # The commands of an operator: they run on the server's machine with the server's packages.
    room("client/operator.py", f"client {STORE}", never=MODELS | WEB),
    room("client/cell_commands.py", f"client {STORE}", never=MODELS | WEB),
    room("client/model_commands.py", f"client workers {STORE}", never=MODELS | WEB),
    room("client/demo.py", f"client {STORE}", never=MODELS | WEB),
    room("studio", "studio client api_schemas", only="gradio pandas PIL pydantic typer"),
    room("evaluation", f"evaluation toyland {EDITING} client api_schemas", never=WEB | {"redis", "rq"}),
    room("toyland", f"toyland workers.bound {EDITING}", never=WEB | {"redis", "rq"}),
]
OURS = frozenset(
    part.name for part in ROOT.iterdir() if any(part.glob("**/*.py")) and part.name.isidentifier()
)


def room_of(path: str) -> Room | None:
    """The most particular room a file belongs to."""
    fitting = [room for room in ROOMS if path == room.path or path.startswith(f"{room.path}/")]
    return max(fitting, key=lambda room: len(room.path), default=None)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def forbidden(room: Room, name: str) -> bool:
    top = name.partition(".")[0]
    if top in OURS:
        return not any(f"{name}.".startswith(f"{allowed}.") for allowed in room.ours)
    if top in sys.stdlib_module_names:
        return False
    return top in room.never if room.only is None else top not in room.only


def violations(path: str, source: str) -> list[str]:
    found = room_of(path)
    if found is None:
        return []
    return [f"{path}:{line} {name}" for line, name in imports(ast.parse(source)) if forbidden(found, name)]


def python_files() -> list[Path]:
    folders = {room.path.partition("/")[0] for room in ROOMS}
    return [file for folder in sorted(folders) for file in sorted((ROOT / folder).rglob("*.py"))]


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def test_every_room_imports_only_what_the_design_lets_it() -> None:
    assert [line for file in python_files() for line in violations(relative(file), file.read_text())] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("service/app.py", "import torch"),
        ("service/app.py", "from workers.engine import main"),
        ("workers/supervisor.py", "def f():\n    from fastapi import FastAPI"),
        ("workers/supervisor.py", "import service.app"),
        ("workers/addit/insert.py", "import redis"),
        ("workers/addit/insert.py", "from workers.models import flux"),
        ("workers/addit/insert.py", "from runtime.settings import Settings"),
        ("api_schemas/jobs.py", "import httpx"),
        ("client/client.py", "from job_store.jobs import JobStore"),
        ("runtime/up.py", "from job_store.jobs import JobStore"),
    ],
)
def test_the_rules_find_what_they_forbid(path: str, source: str) -> None:
    assert len(violations(path, source)) == 1


def reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ("environ", "environb", "getenv") and ast.unparse(node.value) == "os"
    return isinstance(node, ast.ImportFrom) and node.module == "os" and "environ" in ast.unparse(node)


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        relative(file)
        for file in python_files()
        if any(reads_environment(node) for node in ast.walk(ast.parse(file.read_text())))
    }
    assert readers <= {"runtime/settings.py"}


def test_a_model_family_is_named_only_where_it_lives() -> None:
    homes = ("workers/models/toyland/", "toyland/", "evaluation/")
    named = [relative(file) for file in python_files() if "toyland" in file.read_text().lower()]
    assert [path for path in named if not path.startswith(homes)] == []
