"""Missing, cut and changed files are found and named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

from runtime.settings import Settings
from workers.models.folder_place import Folder
from workers.models.profiles import FLUX_SCHNELL, embedded_profile
from workers.verify.files import check_files, check_folder
from workers.verify.steps import StepFailed, Trial

WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"


def trial(place: Path) -> Trial:
    return Trial(Settings(), replace(embedded_profile(), place=str(place)))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The shipped pipeline and the checksums that lie beside it."""
    shipped = Path(embedded_profile().place)
    shutil.copytree(shipped, tmp_path / "pipeline")
    shutil.copyfile(shipped.parent / "SHA256SUMS", tmp_path / "SHA256SUMS")
    return tmp_path / "pipeline"


def test_the_shipped_files_are_whole(copied: Path) -> None:
    found = check_files(trial(copied))
    assert found.values["wrong"] == []
    assert found.table[1][3].startswith("4 of ")


def test_other_content_is_told_by_its_checksum_and_a_cut_file_without_one(copied: Path) -> None:
    file = copied / WEIGHTS
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(StepFailed, match="other content") as raised:
        check_files(trial(copied))
    assert str(copied) in raised.value.next_step
    (copied.parent / "SHA256SUMS").unlink()
    file.write_bytes(whole[:-1])
    with pytest.raises(StepFailed, match="cut short"):
        check_files(trial(copied))


def test_a_shard_that_an_index_names_is_missed(tmp_path: Path) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}}))
    assert check_folder(tmp_path, [index.name]) == (0, ["model-00001-of-00002.safetensors: missing"])


def test_what_was_never_pulled_says_how_to_pull_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(StepFailed, match="black-forest-labs/FLUX.1-schnell is not here") as raised:
        check_files(Trial(Settings(), FLUX_SCHNELL))
    assert raised.value.next_step == "addit models pull flux-schnell"


def test_the_cache_names_each_blob_by_its_checksum(tmp_path: Path, copied: Path) -> None:
    mirror, cache = tmp_path / "mirror", tmp_path / "cache"
    (mirror / "someone").mkdir(parents=True)
    shutil.copytree(copied, mirror / "someone" / "model")
    place = Folder(mirror, cache)
    offer = place.offer("someone/model")
    snapshot = place.fetch("someone/model", offer.commit, offer.files)
    assert check_folder(snapshot, [WEIGHTS]) == (1, [])
    (snapshot / WEIGHTS).resolve().unlink()
    (snapshot / WEIGHTS).resolve().write_bytes(b"another")
    assert check_folder(snapshot, [WEIGHTS]) == (1, [f"{WEIGHTS}: other content than promised"])
