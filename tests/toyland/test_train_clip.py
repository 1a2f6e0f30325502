"""CLIP's recipe: pairs that belong together cost little, and equal contents are equally right."""

import numpy as np
import torch

from toyland.judge_scores import clip_accuracy, content_of
from toyland.label import Label, Thing
from toyland.train_clip import WORDINGS, ClipRecipe, contrastive_loss, number_contents, tokenize_labels
from toyland.zones import Zone
from workers.models.toyland.clip import Clip, ClipConfig

DOG, CAT = Thing("dog", Zone.GROUND), Thing("cat", Zone.GROUND)
LABELS = (Label("beach", (DOG,)), Label("beach", ()), Label("meadow", (CAT,)))
WORDS = (
    "a",
    "photo",
    "picture",
    "of",
    "beach",
    "meadow",
    "with",
    "dog",
    "cat",
    "on",
    "in",
    "the",
    "there",
    "is",
)


def tiny_clip() -> Clip:
    """Random weights, the same every time."""
    torch.manual_seed(0)
    return Clip(ClipConfig(WORDS, side=32, widths=(8, 8, 8), text_width=16, dimensions=16))


def test_content_is_scene_and_names_in_no_order() -> None:
    assert content_of(Label("beach", (DOG, CAT))) == content_of(Label("beach", (CAT, DOG)))
    assert number_contents([*LABELS, LABELS[0]]).tolist() == [0, 1, 2, 0]


def test_matching_pairs_cost_less() -> None:
    shown, right = torch.eye(3), torch.eye(3, dtype=torch.bool)
    scale = torch.tensor(10.0)
    assert contrastive_loss(shown, torch.eye(3), scale, right) < 0.01
    assert contrastive_loss(shown, torch.eye(3).roll(1, 0), scale, right) > 1


def test_equal_contents_are_equally_right() -> None:
    alike = torch.tensor([[1.0, 0], [1, 0], [0, 1]])
    right = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    scale = torch.tensor(20.0)
    least = contrastive_loss(alike, alike, scale, right)
    assert least < contrastive_loss(alike, alike, scale, torch.eye(3, dtype=torch.bool)) + 1e-6
    assert least < 0.5


def test_a_few_steps_tell_three_pictures_apart() -> None:
    clip = tiny_clip()
    patches = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    pictures = patches.repeat(8, 1).repeat(8, 2)
    recipe = ClipRecipe(clip, pictures, tokenize_labels(clip, LABELS, 0), number_contents(LABELS), batch=12)
    assert recipe.tokens.shape[0] == 3 * WORDINGS
    optimizer, generator = torch.optim.AdamW(clip.parameters(), 3e-3), torch.Generator().manual_seed(0)
    for _ in range(40):
        optimizer.zero_grad()
        recipe.loss(generator).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    captions = ["a photo of a beach with a dog", "a photo of a beach", "a photo of a meadow with a cat"]
    assert clip_accuracy(clip.eval(), list(pictures), captions) == 1
