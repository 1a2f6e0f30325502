"""Images and containers: pinned, not root, nothing writable but what has to be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runtime.settings import Settings
from tests.docker.compose import (
    BUILT,
    DOCKERFILES,
    ROOT,
    SERVICES,
    command,
    dockerfile,
    environment,
    image_of,
)

OF_CLIENTS = {"ADDIT_URL", "ADDIT_ADMIN_URL"}  # options of commands, no settings of the service
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*")


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_is_pinned_and_does_not_run_as_root(path: Path) -> None:
    file = dockerfile(path)
    for base in file.all("FROM"):
        assert PINNED.fullmatch(base.split()[0]), base
    assert file.last("USER") == "10001"
    assert file.all("HEALTHCHECK")
    assert all(
        "-c constraints.txt" in run
        for line in file.all("RUN")
        for run in re.findall(r"pip install[^&]*", line)
    )


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_what_an_image_copies_is_there_and_let_into_the_build(path: Path) -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in dockerfile(path).all("COPY"):
        if line.startswith("--from"):
            continue
        for source in line.split()[:-1]:
            assert list(ROOT.glob(source)), source
            assert source.split("/")[0] in let_in


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert "build" in service or PINNED.fullmatch(service["image"])
    assert "healthcheck" in service or image_of(name).all("HEALTHCHECK")
    assert "build" in service or service["user"] != "root"


def test_only_the_gateway_the_studio_and_the_dashboard_are_reachable_and_only_from_this_machine() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "gateway": ["127.0.0.1:8080:8080", "127.0.0.1:8081:8081"],
        "grafana": ["127.0.0.1:3000:3000"],
        "studio": ["127.0.0.1:7860:7860"],
    }


def test_nobody_is_watched_who_did_not_ask_for_it() -> None:
    watching = {name for name, service in SERVICES.items() if service.get("profiles") == ["observability"]}
    assert watching == {"grafana", "prometheus", "tempo"}
    started = {
        name: service.get("depends_on", {}) for name, service in SERVICES.items() if name not in watching
    }
    assert not [name for name, needed in started.items() if watching & set(needed)]


def test_a_worker_reserves_a_gpu_and_may_finish_its_job() -> None:
    worker = SERVICES["worker"]
    (device,) = worker["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert int(worker["stop_grace_period"].removesuffix("s")) > Settings().grace_seconds


@pytest.mark.parametrize("name", BUILT)
def test_every_variable_is_a_setting_and_every_volume_is_declared(name: str) -> None:
    fields = {f"ADDIT_{field.upper()}" for field in Settings.model_fields} | OF_CLIENTS
    assert {variable for variable in environment(name) if variable.startswith("ADDIT_")} <= fields
    assert {volume.split(":")[0] for volume in SERVICES[name].get("volumes", [])} <= {
        "artifacts",
        "models",
        "valkey",
    }


def test_the_example_environment_names_what_the_compose_file_requires() -> None:
    example = (ROOT / "docker" / "env.example").read_text()
    required = re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text())
    assert required
    assert all(f"\n{name}=" in example for name in required)


def test_the_background_process_shares_the_image_of_the_gateway() -> None:
    assert SERVICES["background"]["build"] == SERVICES["gateway"]["build"]
    assert command("background") == ["python", "-m", "workers.background"]


def test_the_studio_holds_no_secret_of_the_service() -> None:
    assert "env_file" not in SERVICES["studio"]
    assert set(environment("studio")) <= {
        *("ADDIT_ADMIN_URL", "ADDIT_PUBLIC_URL", "ADDIT_URL", "ADDIT_STUDIO_HOST"),
        *("HOME", "PATH", "PYTHONUNBUFFERED"),
    }
