"""The paper's CLIP figures of one insertion (arXiv 2411.07232, tables 2 and 3), by any CLIP."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor
from torch.nn.functional import cosine_similarity

from workers.addit.localizers import Picture


class Embedder(Protocol):
    """A CLIP: pictures and texts in one space."""

    def embed_pictures(self, pictures: Sequence[Picture]) -> Tensor:
        """Pictures of one size, each (H, W, 3) -> (B, D), of unit length."""

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """(B, D), of unit length."""


def clip_metrics(
    clip: Embedder, source: Picture, edited: Picture, source_prompt: str, prompt: str
) -> dict[str, float]:
    """Cosines: of the pictures' and the sentences' difference; of both pictures; of result and sentence."""
    before, after = clip.embed_pictures([source, edited])
    said_before, said_after = clip.embed_texts([source_prompt, prompt])
    return {
        "clip_dir": _cosine(after - before, said_after - said_before),
        "clip_im": _cosine(before, after),
        "clip_out": _cosine(after, said_after),
    }


def _cosine(one: Tensor, other: Tensor) -> float:
    return float(cosine_similarity(one, other, dim=0))
