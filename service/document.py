"""The API's description as it is committed: `python -m service.document` writes docs/openapi.json anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from runtime.settings import Settings
from service.app import create_app

COMMITTED = Path(__file__).parents[1] / "docs" / "openapi.json"


def text_of(document: dict[str, Any]) -> str:
    """As it is written."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def described() -> dict[str, Any]:
    """What an app serves, whatever its settings."""
    return create_app(Settings(_env_file=None, signing_secret=SecretStr("unused"))).openapi()


if __name__ == "__main__":
    COMMITTED.write_text(text_of(described()))
