"""What the README says is so."""

from __future__ import annotations

import re

from service.document import described
from tests.readme_table import PLACE, README, table

TEXT = README.read_text()


def test_the_table_of_settings_is_that_of_the_code() -> None:
    found = PLACE.search(TEXT)
    assert found is not None
    assert found[0] == table(), "python -m tests.readme_table writes it anew"


def test_the_api_table_names_every_route_and_no_other() -> None:
    paths = [path for document in described().values() for path in document["paths"].items()]
    served = {f"{method.upper()} {path}" for path, methods in paths for method in methods}
    named = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`", TEXT))
    assert named == served


def test_the_layout_names_every_room() -> None:
    layout = re.search(r"## Layout\n\n```\n(.*?)```", TEXT, re.DOTALL)
    assert layout is not None
    for folder in re.findall(r"^(\w+)/", layout[1], re.MULTILINE):
        assert (README.parent / folder).is_dir(), folder


def test_every_link_into_the_repository_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", TEXT)
    missing = [link for link in links if not (README.parent / link).exists()]
    assert missing in ([], ["docs/assets/demo.png"])
