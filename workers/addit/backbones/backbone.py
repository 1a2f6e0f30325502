"""The seam between the method and a model family: everything that differs between them, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import Tensor

from workers.addit.backbones.conditioning import Conditioning
from workers.addit.latents import LatentGrid
from workers.addit.processor import Exchange
from workers.addit.rotating import Rotary


class Backbone(Protocol):
    """A loaded model family. Latents are packed tokens (B, L, C), L in the grid's row-major order."""

    @property
    def transformer(self) -> Any:
        """The unmodified diffusers transformer."""

    @property
    def dtype(self) -> torch.dtype:
        """Of the transformer, which searches its parameters for it whenever it is asked: kept."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The attention layers that exchange, in the order they run."""

    @property
    def double_layers(self) -> frozenset[str]:
        """Those lent until `extend_double_until`; the others are until `extend_single_until`."""

    @property
    def key_width(self) -> int:
        """Heads times their width: numbers in a key."""

    @property
    def latent_channels(self) -> int:
        """Of the autoencoder; a token holds 2 x 2 of its cells."""

    def exchange_processors(self) -> AbstractContextManager[None]:
        """Borrow the transformer's attention; it is given back whatever happens inside."""

    def encode_prompts(self, prompts: Sequence[str], guidance: Sequence[float]) -> list[Conditioning]:
        """One per prompt, all texts in one batch."""

    def subject_tokens(
        self, source_prompt: str, prompt: str, subjects: Sequence[str]
    ) -> tuple[tuple[int, ...], ...]:
        """Positions of each subject in the text tokens of `prompt`, those that are new to `source_prompt`
        where it names such a thing already. Raises `SubjectNotInPrompt`."""

    def shown(self, cond: Conditioning, x0: Tensor) -> Conditioning:
        """What the target is told once the source's clean tokens (1, L, C) are known."""

    @property
    def guides_twice(self) -> bool:
        """Whether guidance above 1 is classifier-free, and so takes two passes."""

    def rotary_shift(self, down: float, right: float) -> Rotary:
        """Cosines and sines (1, D) that rotate an image token's key to so many cells further down and right.

        Raises `UnsupportedOption` where positions are no rotation of keys.
        """

    def passes(self, cond: Conditioning) -> int:
        """Transformer passes that one velocity of one row costs: two under classifier-free guidance."""

    def velocity(
        self,
        latents: Tensor,
        sigma: float | Tensor,
        cond: Conditioning,
        grid: LatentGrid,
        exchange: Exchange,
        unconditional: Exchange | None = None,
    ) -> Tensor:
        """(B, L, C) float32, noise minus x0. Noise level and conditioning may be by row.

        Where guidance is classifier-free, `unconditional` is the exchange of the rows that are told nothing,
        which must lengthen keys as `exchange` does; without one they attend to themselves.
        """

    def foresee(self, cond: Conditioning, sigmas: Sequence[float]) -> None:
        """Compute at once what passes at these noise levels would each compute, within `exchange_processors`.

        Where there is nothing to be saved it does nothing.
        """

    def sigmas(self, num_inference_steps: int, image_len: int) -> list[float]:
        """`num_inference_steps` + 1 noise levels from 1 down to 0."""

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """(B, L, C) float32 tokens of (B, 3, H, W) pixels in -1..1: the mode of the posterior, normalised."""

    def decode_tokens(self, tokens: Tensor, grid: LatentGrid) -> Tensor:
        """(B, 3, H, W) float32 pixels, about -1..1, of (B, L, C) tokens."""
