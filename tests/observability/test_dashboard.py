"""Dashboard and alerts ask for nothing that a gateway does not tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.docker.compose import SERVICES
from tests.observability.conftest import Watched
from tests.observability.promql import is_bracketed, parse

FOLDER = Path(__file__).parents[2] / "docker" / "observability"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana" / "addit.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
RULES = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
OWN_TO_PROMETHEUS = {"up": {"job", "instance"}}
IN_BRACES = re.compile(r"\{\{\s*\$?(?:labels\.)?(\w+)\s*\}\}")


def drawn() -> Iterator[tuple[str, str]]:
    """Every expression of the dashboard, with the legend of its lines."""
    for panel in PANELS:
        for target in panel.get("targets", []):
            yield target["expr"], target["legendFormat"]


EXPRESSIONS = [expression for expression, _ in drawn()] + [rule["expr"] for rule in RULES]


def documented() -> dict[str, set[str]]:
    """Every metric of the table in docs/operating.md, with its labels."""
    text = (FOLDER.parents[1] / "docs" / "operating.md").read_text()
    return {
        name: set(re.findall(r"\w+", labels))
        for names, labels in re.findall(r"^\| (`addit_[^|]*) \| ([^|]*)\|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }


DOCUMENTED = documented()


def family(metric: str) -> str:
    """A histogram's name from that of its samples."""
    return re.sub(r"_(bucket|sum|count)$", "", metric)


def labels_of(metrics: frozenset[str]) -> set[str]:
    """All that they may come with."""
    known = OWN_TO_PROMETHEUS | DOCUMENTED
    return {"le"}.union(*(known[family(metric)] for metric in metrics))


@pytest.fixture(scope="session")
def told(watched: Watched) -> dict[str, set[str]]:
    """Each metric that a gateway beside a worker tells, with its labels; none where nothing happened yet."""
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(watched.metrics):
        if family.name.endswith("_created"):  # when a counter began, which is not a figure
            continue
        name = family.name + ("_total" if family.type == "counter" else "")
        labels[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    return labels


def test_every_metric_is_documented_with_its_labels(told: dict[str, set[str]]) -> None:
    assert set(told) == set(DOCUMENTED)
    assert {name: labels for name, labels in told.items() if labels} == {
        name: labels for name, labels in DOCUMENTED.items() if told[name]
    }


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_what_is_told(expression: str, told: dict[str, set[str]]) -> None:
    assert is_bracketed(expression)
    query = parse(expression)
    assert query.metrics
    assert {family(metric) for metric in query.metrics} <= {*told, *OWN_TO_PROMETHEUS}
    assert query.labels <= labels_of(query.metrics)


def test_a_legend_names_labels_that_its_line_has() -> None:
    for expression, legend in drawn():
        assert set(IN_BRACES.findall(legend)) <= parse(expression).labels, legend


def test_panels_can_be_told_apart_and_every_one_uses_the_chosen_source() -> None:
    ids = [panel["id"] for panel in PANELS]
    assert len(ids) == len(set(ids))
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    sources = [panel["datasource"] for panel in PANELS if panel["type"] != "row"]
    sources += [target["datasource"] for panel in PANELS for target in panel.get("targets", [])]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    used = set(re.findall(r"\$(\w+)", " ".join(expression for expression, _ in drawn())))
    assert used <= {*variables, "__rate_interval", "__range"}


def test_no_panel_lies_over_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_it_means(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert used <= labels_of(parse(rule["expr"]).metrics)


def test_all_that_is_mounted_is_there_and_asks_the_right_addresses() -> None:
    mounted = [
        volume.split(":")[0]
        for name in ("grafana", "prometheus", "tempo")
        for volume in SERVICES[name]["volumes"]
        if volume.startswith("./")
    ]
    files = {f"./{path.relative_to(FOLDER.parents[1])}" for path in FOLDER.rglob("*") if path.is_file()}
    assert set(mounted) == files
    scraped = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    assert [config["static_configs"] for config in scraped] == [[{"targets": ["gateway:8080"]}]]
    sources = yaml.safe_load((FOLDER / "grafana" / "datasources.yml").read_text())["datasources"]
    assert {source["url"].split(":")[1].strip("/") for source in sources} == {"prometheus", "tempo"}
