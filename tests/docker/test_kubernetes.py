"""The manifests as data: everything they name is there. kustomize itself is not run here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.routing import APIRoute

from bench.fleet.autoscaler import Policy
from runtime.settings import Settings
from service.app import ROUTERS
from tests.docker.compose import ROOT, command, dockerfile, health_check
from tests.observability.promql import parse

FOLDER = ROOT / "docker" / "kubernetes"
BASE = FOLDER / "base"
NOT_OURS = {"HF_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def documents(path: Path) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all(path.read_text())


KUSTOMIZATION: dict[str, Any] = next(documents(BASE / "kustomization.yaml"))
OBJECTS = [one for name in KUSTOMIZATION["resources"] for one in documents(BASE / name)]
PODS = {one["metadata"]["name"]: one["spec"] for one in OBJECTS if one["kind"] == "Deployment"}


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [one for one in OBJECTS if one["kind"] == kind]


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = PODS[name]["template"]["spec"]
    return spec


def container(name: str) -> dict[str, Any]:
    (one,) = pod(name)["containers"]
    assert isinstance(one, dict)
    return one


def test_every_file_is_a_resource_of_the_base_and_overlays_name_what_is_there() -> None:
    files = {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(KUSTOMIZATION["resources"])
    for path in FOLDER.glob("*/kustomization.yaml"):
        for one in documents(path):
            assert all((path.parent / name).exists() for name in one["resources"])
    names = {(one["kind"], one["metadata"]["name"]) for one in OBJECTS}
    assert len(names) == len(OBJECTS)
    for overlay in ("one-gpu", "cell"):
        for patch in next(documents(FOLDER / overlay / "kustomization.yaml"))["patches"]:
            given = yaml.safe_load(patch["patch"])
            kind, name = (
                (patch["target"]["kind"], patch["target"]["name"])
                if "target" in patch
                else (given["kind"], given["metadata"]["name"])
            )
            assert (kind, name) in names


def test_a_cell_is_scaled_by_its_own_figures_in_a_namespace_of_its_own() -> None:
    cell = next(documents(FOLDER / "cell" / "kustomization.yaml"))
    assert cell["namespace"] != KUSTOMIZATION["namespace"]
    (patch,) = [yaml.safe_load(one["patch"]) for one in cell["patches"] if "target" in one]
    (scaled,) = of_kind("ScaledObject")
    for change in patch:
        number = int(change["path"].split("/")[3])
        usual, own = parse(scaled["spec"]["triggers"][number]["metadata"]["query"]), parse(change["value"])
        assert change["path"] == f"/spec/triggers/{number}/metadata/query"
        assert (own.metrics, own.labels) == (usual.metrics, usual.labels | {"cell"})
    patches = [yaml.safe_load(one["patch"]) for one in cell["patches"]]
    deleted = {one["kind"] for one in patches if "$patch" in one}
    assert deleted == {"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"}


def test_every_variable_is_a_setting_and_holds_a_value_it_takes() -> None:
    (settings,) = of_kind("ConfigMap")
    known = {f"ADDIT_{name.upper()}" for name in Settings.model_fields}
    assert set(settings["data"]) <= known
    told = (BASE / "settings.yaml").read_text().split("apiVersion")[0]
    secret = {word.strip(",.") for word in told.split() if "_" in word}
    assert {name for name in secret if name.startswith("ADDIT_")} <= known
    assert {name for name in secret if not name.startswith("ADDIT_")} == NOT_OURS
    grace = settings["data"]["ADDIT_GRACE_SECONDS"]
    assert (
        Settings(_env_file=None, grace_seconds=grace).grace_seconds
        < pod("worker")["terminationGracePeriodSeconds"]
    ), "a job in hand is finished before its worker is killed"


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_the_image_that_is_built_and_may_do_no_more(name: str) -> None:
    one, spec = container(name), pod(name)
    image = dockerfile(ROOT / "docker" / f"{one['image'].removeprefix('addit-')}.Dockerfile")
    assert one["image"] in {known["name"] for known in KUSTOMIZATION["images"]}
    assert str(spec["securityContext"]["runAsUser"]) == image.last("USER")
    assert one.get("command", command("gateway" if name == "background" else name)) == command(name)
    security = one["securityContext"]
    assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert {"configMapRef", "secretRef"} == {key for given in one["envFrom"] for key in given}
    assert {mount["name"] for mount in one["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}


def test_probes_ask_what_is_answered() -> None:
    gateway = container("gateway")
    paths = {r.path for router in ROUTERS for r in router.routes if isinstance(r, APIRoute)}
    for probe in ("readinessProbe", "livenessProbe"):
        assert gateway[probe]["httpGet"]["path"] in paths
    (port,) = gateway["ports"]
    assert port["containerPort"] == Settings(_env_file=None).port
    for name in ("worker", "background"):
        assert container(name)["livenessProbe"]["exec"]["command"] == health_check(name)


@pytest.mark.parametrize("name", PODS)
def test_what_a_pod_starts_is_a_program_of_the_project(name: str) -> None:
    words = container(name).get("command", command(name))
    assert words[:2] == ["python", "-m"]
    spec = find_spec(words[2])
    assert spec is not None
    program = find_spec(f"{words[2]}.__main__") if spec.submodule_search_locations else spec
    assert program is not None
    assert '__name__ == "__main__"' in Path(str(program.origin)).read_text()


def test_selectors_find_their_pods() -> None:
    labels = {name: spec["template"]["metadata"]["labels"] for name, spec in PODS.items()}
    for name, spec in PODS.items():
        assert spec["selector"]["matchLabels"] == labels[name]
    (service,) = of_kind("Service")
    assert service["spec"]["selector"] == labels["gateway"]
    for budget in of_kind("PodDisruptionBudget"):
        assert budget["spec"]["selector"]["matchLabels"] == labels[budget["metadata"]["name"]]
    shut = next(one for one in of_kind("NetworkPolicy") if one["metadata"]["name"] == "inwards")
    assert set(shut["spec"]["podSelector"]["matchLabels"].items()) <= set(labels["worker"].items())
    assert "ingress" not in shut["spec"]


def test_workers_are_scaled_by_the_expected_wait_as_it_was_simulated() -> None:
    (scaled,), policy = of_kind("ScaledObject"), Policy()
    spec = scaled["spec"]
    assert spec["scaleTargetRef"]["name"] == "worker"
    assert "replicas" not in PODS["worker"], "two would set it"
    trigger, work = spec["triggers"]
    assert parse(work["metadata"]["query"]).metrics == {"addit_workers"}
    assert (work["metricType"], float(work["metadata"]["threshold"])) == ("AverageValue", policy.most_busy)
    query = parse(trigger["metadata"]["query"])
    assert query.metrics == {"addit_estimated_wait_seconds"}
    assert query.labels == {"model"}
    assert (trigger["metricType"], float(trigger["metadata"]["threshold"])) == ("Value", policy.target)
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == policy.steady_seconds
    assert behavior["scaleDown"]["policies"][0]["value"] == 100 * policy.shrink_share
    assert 1 + behavior["scaleUp"]["policies"][0]["value"] / 100 == policy.grow_factor
    assert spec["pollingInterval"] == policy.every_seconds
    gpu = container("worker")["resources"]["limits"]["nvidia.com/gpu"]
    assert gpu == "1", "a supervisor has one engine"
