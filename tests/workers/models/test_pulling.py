"""Fetching a model from what answers as the hub does, and from a folder: exact, checked, explained."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants

from tests.workers.models.hub_server import COMMIT, FakeHub, hub_served
from workers.models import pulling
from workers.models.checksums import digest
from workers.models.errors import LicenceNotAccepted, PullFailed, UnknownProfile
from workers.models.folder_place import Folder
from workers.models.hub_place import Hub
from workers.models.loading import LoadOptions, load
from workers.models.profiles import FLUX_DEV, FLUX_SCHNELL, embedded_profile
from workers.models.pulling import Pulled, pull
from workers.models.wanted_files import repositories

WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"
UNWANTED = ("flux1-schnell.safetensors", "README.md", "transformer/model.fp16.safetensors", "dev_grid.jpg")


def mirror_of(root: Path) -> Path:
    """FLUX.1 [schnell]'s repositories with the shipped pipeline's files, and what others put beside them."""
    pipeline = root / FLUX_SCHNELL.place
    shutil.copytree(embedded_profile().place, pipeline)
    for name in UNWANTED:
        (pipeline / name).write_bytes(b"not wanted")
    for one in repositories(FLUX_SCHNELL)[1:]:
        (root / one.name).mkdir(parents=True)
        (root / one.name / "config.json").write_text("{}")
        (root / one.name / "model.safetensors").write_bytes(one.name.encode())
        (root / one.name / "pytorch_model.bin").write_bytes(b"the same in the older format")
        (root / one.name / "sam2.1_hiera_large.pt").write_bytes(b"a checkpoint")
    return root


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    with hub_served(FakeHub(mirror_of(tmp_path / "hub"))) as served:
        yield served


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache, and no network but this machine's own."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 2**16)  # files here are smaller than its own
    return tmp_path / "cache"


def pull_from(hub: FakeHub, cache: Path, token: str | bool = False) -> list[Pulled]:
    return pull(FLUX_SCHNELL, Hub(cache, HfApi(hub.url, token=token)), cache, (), lambda _: None)


def test_exactly_what_loading_reads_is_fetched_and_loads_by_name(
    hub: FakeHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled = pull_from(hub, cache)
    snapshot = cache / "models--black-forest-labs--FLUX.1-schnell" / "snapshots" / COMMIT
    names = {path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*") if path.is_file()}
    shipped = Path(embedded_profile().place)
    assert names == {path.relative_to(shipped).as_posix() for path in shipped.rglob("*") if path.is_file()}
    assert all(file.sum for file in pulled)
    assert {file.path for file in pulled if file.repository.startswith("facebook/")} == {
        "sam2.1_hiera_large.pt"
    }
    assert not [file.path for file in pulled if file.path.endswith(".bin")]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    profile = replace(FLUX_SCHNELL, segmenter=None, text_len=32)
    assert load(profile, LoadOptions(device="cpu", dtype="float32")).pipe.transformer is not None


def test_nothing_is_fetched_twice_and_a_cut_file_goes_on_where_it_was_cut(hub: FakeHub, cache: Path) -> None:
    hub.cut.add("diffusion_pytorch_model.safetensors")
    pull_from(hub, cache)
    assert [path for _, path, ranged in hub.asked if ranged.startswith("bytes=") and ranged != "bytes=0-"]
    hub.asked.clear()
    pull_from(hub, cache)
    assert [path for method, path, _ in hub.asked if method == "GET" and "safetensors" in path] == []


def test_a_gated_repository_says_where_its_terms_are_accepted(hub: FakeHub, cache: Path) -> None:
    hub.gated[FLUX_SCHNELL.place] = "hf_reader"
    with pytest.raises(PullFailed, match=f"Accept its terms at {hub.url}/{FLUX_SCHNELL.place}.*HF_TOKEN"):
        pull_from(hub, cache)
    assert pull_from(hub, cache, token="hf_reader")


def test_a_file_of_other_content_is_removed_and_said(hub: FakeHub, cache: Path) -> None:
    pull_from(hub, cache)
    blob = (cache / "models--CIDAS--clipseg-rd64-refined/snapshots" / COMMIT / "model.safetensors").resolve()
    blob.write_bytes(b"?" * blob.stat().st_size)
    with pytest.raises(PullFailed, match=r"model.safetensors is not what was promised.*Pull again"):
        pull_from(hub, cache)
    assert pull_from(hub, cache)


def test_a_repository_that_is_not_there_and_a_hub_that_is_not(hub: FakeHub, cache: Path) -> None:
    shutil.rmtree(hub.root / FLUX_SCHNELL.place)
    with pytest.raises(PullFailed, match="shows no black-forest-labs/FLUX.1-schnell"):
        pull_from(hub, cache)
    nowhere = Hub(cache, HfApi("http://127.0.0.1:9", token=False))
    with pytest.raises(PullFailed, match="was not reached.*HF_ENDPOINT"):
        pull(FLUX_SCHNELL, nowhere, cache, (), lambda _: None)


def test_a_full_disk_is_said_before_anything_is_fetched(
    hub: FakeHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr(pulling, "disk_usage", lambda _: usage(2**40, 2**40, 2**20))
    with pytest.raises(PullFailed, match="are free at .*HF_HOME"):
        pull_from(hub, cache)
    assert not [path for _, path, _ in hub.asked if path.endswith(WEIGHTS)]


def test_a_licence_is_accepted_before_anything_is_asked(hub: FakeHub, cache: Path) -> None:
    place = Hub(cache, HfApi(hub.url, token=False))
    with pytest.raises(LicenceNotAccepted, match="ADDIT_ACCEPT_LICENCES"):
        pull(FLUX_DEV, place, cache, (), lambda _: None)
    with pytest.raises(UnknownProfile):
        pull(embedded_profile(), place, cache, (), lambda _: None)
    assert hub.asked == []


def test_a_folder_serves_as_well(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = mirror_of(tmp_path / "carried")
    sums = root / FLUX_SCHNELL.place / "SHA256SUMS"
    sums.write_text(f"{digest(root / FLUX_SCHNELL.place / WEIGHTS)}  {WEIGHTS}\n")
    place = Folder(root, cache)
    pulled = pull(FLUX_SCHNELL, place, cache, (), lambda _: None)
    assert {file.path for file in pulled if file.sum} == {WEIGHTS}
    assert sum(place.missing(one.name, "0" * 40, []) for one in repositories(FLUX_SCHNELL)) == 0
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    profile = replace(FLUX_SCHNELL, segmenter=None, text_len=32)
    assert load(profile, LoadOptions(device="cpu", dtype="float32")).pipe.transformer is not None


def test_a_folder_that_lacks_something_or_is_damaged_says_so(tmp_path: Path, cache: Path) -> None:
    root = mirror_of(tmp_path / "carried")
    (root / FLUX_SCHNELL.place / "SHA256SUMS").write_text(f"{'0' * 64}  {WEIGHTS}\n")
    with pytest.raises(PullFailed, match="not what was promised"):
        pull(FLUX_SCHNELL, Folder(root, cache), cache, (), lambda _: None)
    shutil.rmtree(root / FLUX_SCHNELL.place)
    with pytest.raises(PullFailed, match=f"hf download {FLUX_SCHNELL.place} --local-dir"):
        pull(FLUX_SCHNELL, Folder(root, cache), cache, (), lambda _: None)
