"""Captions of a dataset as token ids of both text encoders, several wordings of each sample."""

from dataclasses import dataclass

import numpy as np
import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from toyland.captions import caption
from toyland.label import Label

WORDINGS = 4
EMPTY_SHARE = 0.1  # of captions are dropped, so that the model also knows pictures without a caption


@dataclass(frozen=True)
class Tokens:
    """Token ids of B captions: `clip` (B, T) for the pooled vector, `t5` (B, T) for the sequence."""

    clip: Tensor
    t5: Tensor


@dataclass(frozen=True)
class Texts:
    """Token ids of N samples in several wordings each, (N * WORDINGS, T), and of the empty caption (1, T)."""

    captions: Tokens
    empty: Tokens

    def draw(self, indices: Tensor, generator: torch.Generator, empty_share: float = EMPTY_SHARE) -> Tokens:
        """A random wording for each sample index (B,); some become the empty caption."""
        wording = torch.randint(WORDINGS, indices.shape, generator=generator)
        rows = indices * WORDINGS + wording
        dropped = torch.rand(len(indices), 1, generator=generator) < empty_share
        return Tokens(
            torch.where(dropped, self.empty.clip, self.captions.clip[rows]),
            torch.where(dropped, self.empty.t5, self.captions.t5[rows]),
        )


def tokenize_labels(pipeline: FluxPipeline, labels: tuple[Label, ...], seed: int) -> Texts:
    """Captions drawn for every label, the same for the same seed."""
    wordings = [
        caption(label, np.random.default_rng((seed, index, wording)))
        for index, label in enumerate(labels)
        for wording in range(WORDINGS)
    ]
    return Texts(tokenize(pipeline, wordings), tokenize(pipeline, [""]))


def tokenize(pipeline: FluxPipeline, texts: list[str]) -> Tokens:
    """The ids that the pipeline itself would use."""
    return Tokens(_ids(pipeline.tokenizer, texts), _ids(pipeline.tokenizer_2, texts))


def _ids(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> Tensor:
    """(B, T) token ids padded to the tokenizer's full length."""
    encoded = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
    ids: Tensor = encoded.input_ids
    return ids
