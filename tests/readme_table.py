"""The README's table of settings, made from the settings: `python -m tests.readme_table` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import SecretStr

from runtime.settings import Settings

README = Path(__file__).parent.parent / "README.md"
PLACE = re.compile(r"(?<=readme_table -->\n).*?(?=<!-- /settings -->)", re.DOTALL)


def table() -> str:
    """A row per setting."""
    rows = [
        f"| `ADDIT_{name.upper()}` | {_shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | what |", "|---|---|---|", *rows]) + "\n"


def _shown(default: object) -> str:
    value = default.get_secret_value() if isinstance(default, SecretStr) else default
    text = str(list(value)) if isinstance(value, tuple) else str(value)
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    README.write_text(PLACE.sub(lambda _: table(), README.read_text()))
