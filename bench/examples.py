"""The insertion that all benchmarks run: the first of examples/, on the embedded model."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from api_schemas.insertions import InsertionRequest
from client.examples import Example, examples


def example() -> Example:
    """The example itself."""
    return examples()[0]


def picture() -> Image.Image:
    """Its source."""
    return Image.open(example().path).convert("RGB")


def request(
    seeds: Sequence[int], preset: str = "paper-real", image_id: str = "img_bench"
) -> InsertionRequest:
    """Its request, as a gateway would complete it."""
    chosen = example()
    source = {"kind": "image", "image": {"id": image_id}, "prompt": chosen.source_prompt}
    body = {"source": source, "prompt": chosen.prompt, "subject": chosen.subject, "seeds": list(seeds)}
    return InsertionRequest.model_validate({**body, "preset": preset, "options": {"strict_background": True}})
