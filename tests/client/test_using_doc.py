"""docs/using.md: every block runs as it stands and leaves a result."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from runtime.settings import Settings, environment
from tests.client.conftest import Served

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "using.md").read_text()
PROGRAMS = {"sh": ["bash", "-eu"], "python": [sys.executable], "js": ["node"]}


@pytest.mark.parametrize(
    "language",
    [
        "sh",
        "python",
        pytest.param("js", marks=pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")),
    ],
)
def test_a_block_leaves_a_result(served: Served, photo: Path, language: str) -> None:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    folder = photo.parent
    script = folder / f"example.{ {'python': 'py', 'js': 'mjs'}.get(language, language) }"
    script.write_text(block)
    variables = {"ADDIT_URL": served.url, "ADDIT_KEY": served.key, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [*PROGRAMS[language], script], cwd=folder, env=environment(Settings()) | variables, check=True
    )
    with Image.open(folder / "result.png") as result:
        assert result.size == (64, 48)
