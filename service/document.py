"""The API's descriptions as they are committed: `python -m service.document` writes them anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from runtime.settings import Settings
from service.app import create_app, create_operators_app

DOCS = Path(__file__).parents[1] / "docs"
TENANTS, OPERATORS = DOCS / "openapi.json", DOCS / "openapi-admin.json"


def text_of(document: dict[str, Any]) -> str:
    """As it is written."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def described() -> dict[Path, dict[str, Any]]:
    """What the two ports serve, whatever the settings, by where it is kept."""
    tenants = create_app(Settings(_env_file=None, signing_secret=SecretStr("unused")))
    operators = create_operators_app(tenants.state.gateway)
    return {TENANTS: tenants.openapi(), OPERATORS: operators.openapi()}


if __name__ == "__main__":
    for place, document in described().items():
        place.write_text(text_of(document))
