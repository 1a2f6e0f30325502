"""Recipe of CLIP: every picture finds its caption among those of its batch, and every caption its picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from toyland.captions import caption
from toyland.disturbances import disturb
from toyland.judge_scores import content_of
from toyland.label import Label
from toyland.train_detector import hidden_convolutions
from toyland.training import Plan, train
from toyland.vocabulary import caption_words
from toyland.workshop import Workshop
from toyland.world import TRAIN_SEED
from workers.models.toyland.clip import Clip, ClipConfig, save_clip

PLAN = Plan(learning_rate=1e-3, warmup_steps=100, decay_from=0.3, ema_decay=0.995, weight_decay=0.05)
WORDINGS = 4  # of each picture
GLIMPSED_SHARE = 0.25  # of a batch, when there are glimpses
LARGEST_SCALE = 100.0  # of the cosines, as in CLIP


@dataclass(frozen=True)
class ClipRecipe:
    """Symmetric cross-entropy over a batch, in which equal contents are equally right.

    pictures: (N, H, W, 3) uint8; tokens: (N * WORDINGS, T) ids; contents: (N,), a number for each content
    glimpses: (M, H, W, 3) uint8, other versions of the first M pictures (decoded, guessed), or none
    """

    clip: Clip
    pictures: NDArray[np.uint8]
    tokens: Tensor
    contents: Tensor
    glimpses: NDArray[np.uint8] | None = None
    batch: int = 128

    @property
    def trained(self) -> nn.Module:
        """Both towers and the scale."""
        return self.clip

    def loss(self, generator: torch.Generator) -> Tensor:
        """The mean of both directions' cross-entropies."""
        pictures, indices = self._draw(generator)
        wordings = torch.randint(WORDINGS, indices.shape, generator=generator)
        ids = self.tokens[indices * WORDINGS + wordings]
        seen = disturb((self.clip.see(pictures) + 1) / 2, generator) * 2 - 1
        flips = torch.rand(len(seen), 1, 1, 1, generator=generator) < 0.5
        with torch.autocast("cpu", torch.bfloat16):
            shown = self.clip.picture_tower(torch.where(flips, seen.flip(-1), seen))
            said = self.clip.text_tower(ids[:, : int((ids > 0).sum(1).max())])
        scale = self.clip.log_scale.exp().clamp(max=LARGEST_SCALE)
        contents = self.contents[indices]
        return contrastive_loss(shown.float(), said.float(), scale, contents[:, None] == contents)

    def _draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(B, H, W, 3) pictures, the last of them glimpses, and which samples they are, (B,)."""
        glimpsed = round(self.batch * GLIMPSED_SHARE) if self.glimpses is not None else 0
        indices = torch.randint(len(self.pictures), (self.batch - glimpsed,), generator=generator)
        chosen = self.pictures[indices.numpy()]
        if self.glimpses is not None:
            others = torch.randint(len(self.glimpses), (glimpsed,), generator=generator)
            chosen = np.concatenate([chosen, self.glimpses[others.numpy()]])
            indices = torch.cat([indices, others])
        return torch.from_numpy(chosen), indices


def contrastive_loss(shown: Tensor, said: Tensor, scale: Tensor, right: Tensor) -> Tensor:
    """CLIP's loss of embeddings (B, D) each; `right` (B, B) bool says which pairs belong together."""
    logits = scale * F.normalize(shown, dim=1) @ F.normalize(said, dim=1).T
    wanted = right.float() / right.sum(1, keepdim=True)
    return (F.cross_entropy(logits, wanted) + F.cross_entropy(logits.T, wanted)) / 2


def number_contents(labels: Sequence[Label]) -> Tensor:
    """(N,): a number for each label, the same for the same content."""
    numbers = dict[tuple[str, ...], int]()
    return torch.tensor([numbers.setdefault(content_of(label), len(numbers)) for label in labels])


def tokenize_labels(clip: Clip, labels: Sequence[Label], seed: int) -> Tensor:
    """(N * WORDINGS, T) ids of captions drawn for every label, the same for the same seed."""
    wordings = [
        caption(label, np.random.default_rng((seed, index, wording)))
        for index, label in enumerate(labels)
        for wording in range(WORDINGS)
    ]
    return clip.tokenize(wordings)


def train_clip(workshop: Workshop, plan: Plan) -> None:
    """CLIP, from random weights."""
    torch.manual_seed(plan.seed)
    clip = Clip(ClipConfig(tuple(caption_words(workshop.world))))
    dataset, folder = workshop.dataset, workshop.run_folder("clip")
    tokens = tokenize_labels(clip, dataset.labels, TRAIN_SEED)
    recipe = ClipRecipe(clip, dataset.pictures, tokens, number_contents(dataset.labels))
    train(recipe, plan, folder, hidden_convolutions(clip)).use_average()
    save_clip(clip, folder / "clip")
