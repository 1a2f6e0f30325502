"""Real loading code on small checkpoints of the same classes, saved to disk first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from omegaconf import OmegaConf
from safetensors.torch import load_file

from tests.figures import Figure
from workers.addit.config import PAPER_REAL
from workers.addit.edits import Edit, PictureSource
from workers.addit.localizers import SegmenterPrompt
from workers.addit.pipeline import insert
from workers.models import quantization
from workers.models.canary import fingerprint
from workers.models.errors import MissingPackage, ModelFilesBroken, UnknownProfile
from workers.models.loading import LoadOptions, load, pick_device, pick_dtype
from workers.models.memory_presets import MemoryPreset, Offload
from workers.models.profiles import (
    HUB_PROFILES,
    SegmenterPlace,
    embedded_profile,
    find_profile,
    layers_by_depth,
)
from workers.models.quantization import Quantization
from workers.models.segmenter import load_segmenter

FLOAT32 = LoadOptions(device="cpu", dtype="float32")


@pytest.fixture(scope="module", params=[True, False], ids=["guided", "unguided"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FLUX directory with a random transformer of two blocks of either kind."""
    pipe = FluxPipeline.from_pretrained(embedded_profile().place)
    config = dict(pipe.transformer.config) | {
        "num_layers": 2,
        "num_single_layers": 2,
        "guidance_embeds": request.param,
    }
    torch.manual_seed(0)
    pipe.transformer = FluxTransformer2DModel.from_config(config)
    folder = tmp_path_factory.mktemp("flux") / "tiny"
    pipe.save_pretrained(folder)
    return folder


def test_a_local_directory_is_profiled_loaded_and_run(checkpoint: Path) -> None:
    profile = replace(find_profile(str(checkpoint)), segmenter=None)
    models = load(profile, FLOAT32)
    assert profile.name == "tiny"
    assert models.recorded_layers == ("transformer_blocks.1", "single_transformer_blocks.1")
    picture = np.full((32, 48, 3), 128, dtype=np.uint8)
    config = replace(PAPER_REAL.at_steps(3), localizer="attention")
    edit = Edit(
        PictureSource(picture, "a photo of a beach"), "a photo of a beach with a dog", ("dog",), (1,), config
    )
    done = insert(models, edit)
    assert done.pictures[0].shape == picture.shape
    assert done.located is not None


@pytest.mark.fault(25)
@pytest.mark.parametrize("part", ["transformer/diffusion_pytorch_model.safetensors", "vae/config.json"])
def test_a_truncated_file_is_said_plainly(
    checkpoint: Path, tmp_path: Path, figure: Figure, part: str
) -> None:
    pipe = FluxPipeline.from_pretrained(checkpoint)
    pipe.save_pretrained(tmp_path)
    whole = (tmp_path / part).read_bytes()
    (tmp_path / part).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFilesBroken, match=str(tmp_path)) as raised:
        load(replace(embedded_profile(), place=str(tmp_path)), FLOAT32)
    figure(25, "damaged files unnoticed", int(str(tmp_path) not in str(raised.value)))


@pytest.mark.fault(25)
def test_a_missing_weight_file_is_said_plainly(checkpoint: Path, tmp_path: Path) -> None:
    FluxPipeline.from_pretrained(checkpoint).save_pretrained(tmp_path)
    (tmp_path / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelFilesBroken):
        load(replace(embedded_profile(), place=str(tmp_path)), FLOAT32)


def test_names_find_their_profiles() -> None:
    assert find_profile("embedded") is find_profile(embedded_profile().name)
    assert find_profile("flux-dev") is HUB_PROFILES["flux-dev"]
    with pytest.raises(UnknownProfile, match="flux-schnell"):
        find_profile("flux-nope")


def test_layers_keep_their_relative_depth() -> None:
    assert layers_by_depth(19, 38) == HUB_PROFILES["flux-dev"].recorded_layers


def test_auto_never_means_float16() -> None:
    assert pick_device("auto").type in ("cpu", "cuda")
    assert pick_dtype("auto", torch.device("cpu")) in (torch.bfloat16, torch.float32)
    assert pick_dtype("auto", torch.device("cuda")) == torch.bfloat16


def test_a_local_sam2_opens_from_metas_file_form(tmp_path: Path) -> None:
    shipped = embedded_profile().segmenter
    assert shipped is not None
    torch.save({"model": load_file(shipped.checkpoint)}, tmp_path / "sam2.pt")
    OmegaConf.save(OmegaConf.load(shipped.config), tmp_path / "sam2.yaml")
    place = SegmenterPlace(str(tmp_path / "sam2.pt"), str(tmp_path / "sam2.yaml"))
    segmenter = load_segmenter(place, torch.device("cpu"))
    picture = np.zeros((48, 96, 3), dtype=np.uint8)
    picture[12:36, 30:60] = (220, 40, 40)
    for prompt in (
        SegmenterPrompt(points=((45.0, 24.0),)),
        SegmenterPrompt(box=(30.0, 12.0, 60.0, 36.0)),
        SegmenterPrompt(mask=torch.from_numpy(picture[..., 0] > 0)),
    ):
        segmentation = segmenter(picture, prompt)
        assert segmentation.mask.shape == (48, 96)
        assert 0 <= segmentation.score <= 1


def test_a_damaged_sam2_is_said_plainly(tmp_path: Path) -> None:
    shipped = embedded_profile().segmenter
    assert shipped is not None
    (tmp_path / "sam2.safetensors").write_bytes(Path(shipped.checkpoint).read_bytes()[:1000])
    with pytest.raises(ModelFilesBroken, match=r"sam2\.safetensors"):
        load_segmenter(
            SegmenterPlace(str(tmp_path / "sam2.safetensors"), shipped.config), torch.device("cpu")
        )


@pytest.mark.parametrize("offload", ["model", "group"])
def test_offloading_changes_no_pixel(offload: Offload) -> None:
    profile = embedded_profile()
    resident = fingerprint(profile, load(profile, FLOAT32))
    offloaded = load(profile, replace(FLOAT32, memory=MemoryPreset(offload=offload)))
    assert np.array_equal(fingerprint(profile, offloaded), resident)


@pytest.mark.parametrize("kind", ["fp8", "int8", "nf4"])
def test_quantization_without_its_package_names_it(
    kind: Quantization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*of: object) -> None:
        raise ImportError

    monkeypatch.setattr(quantization, "_nf4", absent)
    monkeypatch.setattr(quantization, "_torchao", absent)
    with pytest.raises(MissingPackage, match=quantization.NEEDS[kind]):
        load(embedded_profile(), replace(FLOAT32, memory=MemoryPreset(kind)))
