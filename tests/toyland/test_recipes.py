"""Each recipe's loss is finite and reaches what is trained, and nothing else."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from toyland.flow import FluxModules
from toyland.segmenter import build_segmenter
from toyland.texts import WORDINGS, Texts, Tokens
from toyland.train_guidance import GuidanceRecipe
from toyland.train_segmenter import SegmenterRecipe
from toyland.train_vae import DecoderRecipe
from toyland.workshop import SHIPPED, Workshop

pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight:UserWarning")

RANDOM = np.random.default_rng(0)
PICTURES: NDArray[np.uint8] = RANDOM.integers(0, 256, (4, 128, 128, 3), dtype=np.uint8)
LATENTS = RANDOM.normal(size=(4, 4, 32, 32)).astype(np.float16)


@pytest.fixture
def workshop() -> Workshop:
    """The shipped weights, with no cache of their own."""
    return Workshop(Path("nowhere"), count=4)


def touched(module: nn.Module) -> bool:
    """Whether any parameter got a gradient."""
    return any(parameter.grad is not None for parameter in module.parameters())


def test_segmenter() -> None:
    instances = np.zeros((4, 128, 128), np.uint8)
    instances[:, 40:80, 30:90] = 1
    model = build_segmenter(SHIPPED / "sam2")
    recipe = SegmenterRecipe(model, PICTURES, instances, PICTURES, batch=2)
    loss = recipe.loss(torch.Generator().manual_seed(0))
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert touched(model.image_encoder)
    assert not touched(model.memory_attention)


def test_decoder_learns_and_encoder_stays(workshop: Workshop) -> None:
    vae = workshop.open_pipeline().vae
    loss = DecoderRecipe(vae, PICTURES, LATENTS, batch=1).loss(torch.Generator())
    loss.backward()  # type: ignore[no-untyped-call]
    assert touched(vae.decoder)
    assert not touched(vae.encoder)


def test_guidance_leaves_its_teacher_alone(workshop: Workshop) -> None:
    pipeline = workshop.open_pipeline()
    ids = torch.ones(4 * WORDINGS, 24, dtype=torch.long)
    texts = Texts(Tokens(ids, ids), Tokens(ids[:1], ids[:1]))
    student = FluxModules(pipeline.transformer, pipeline.text_encoder, pipeline.text_encoder_2)
    recipe = GuidanceRecipe(student, copy.deepcopy(student), LATENTS, texts, batch=2)
    recipe.loss(torch.Generator().manual_seed(0)).backward()  # type: ignore[no-untyped-call]
    assert touched(student.transformer)
    assert not touched(recipe.teacher)
