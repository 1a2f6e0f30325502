"""The shipped pipeline opens as any FLUX does and draws."""

import numpy as np
import pytest
import torch
from diffusers import FluxPipeline

from toyland.workshop import SHIPPED

pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight:UserWarning")


@pytest.fixture(scope="module")
def pipeline() -> FluxPipeline:
    """The shipped weights in float32."""
    pipeline = FluxPipeline.from_pretrained(SHIPPED / "pipeline", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def test_draws_a_finite_picture(pipeline: FluxPipeline) -> None:
    picture = pipeline(
        "a photo of a beach with a dog",
        height=256,
        width=256,
        num_inference_steps=4,
        max_sequence_length=32,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    ).images[0]
    assert picture.shape == (256, 256, 3)
    assert np.isfinite(picture).all()
    assert picture[:64, :, 2].mean() > picture[-32:, :, 2].mean()  # more blue above than below


def test_pooling_takes_the_end_of_the_caption(pipeline: FluxPipeline) -> None:
    # CLIP pools at its configuration's end token; another id than the tokenizer's would pool the first token.
    assert pipeline.text_encoder.config.eos_token_id == pipeline.tokenizer.eos_token_id
    dog, cat = (pipeline.encode_prompt(f"a photo of a {name}", None)[1] for name in ("dog", "cat"))
    assert not torch.allclose(dog, cat)
