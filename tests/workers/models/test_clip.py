"""CLIP: texts become words, embeddings have unit length, and what is saved says the same again."""

from pathlib import Path

import numpy as np
import pytest
import torch

from workers.models.toyland.clip import PADDING, UNKNOWN, Clip, ClipConfig, load_clip, save_clip

CONFIG = ClipConfig(words=("a", "dog"), side=32, widths=(8, 8, 8), text_width=8, dimensions=8)
PICTURES = [np.full((64, 64, 3), grey, np.uint8) for grey in (0, 100, 255)]


@pytest.fixture
def clip() -> Clip:
    """Two words, random weights."""
    torch.manual_seed(0)
    return Clip(CONFIG).eval()


def test_words_are_numbered_and_others_unknown(clip: Clip) -> None:
    ids = clip.tokenize(["A dog", "a zebra", ""])
    assert ids[:, :3].tolist() == [[2, 3, PADDING], [2, UNKNOWN, PADDING], [PADDING] * 3]


def test_embeddings_have_unit_length(clip: Clip) -> None:
    shown, said = clip.embed_pictures(PICTURES), clip.embed_texts(["a dog", "dog", ""])
    assert shown.shape == said.shape == (3, 8)
    torch.testing.assert_close(torch.cat([shown, said]).norm(dim=1), torch.ones(6))


def test_padding_changes_nothing(clip: Clip) -> None:
    ids = clip.tokenize(["a dog"])
    torch.testing.assert_close(clip.text_tower(ids), clip.text_tower(ids[:, :2]))


def test_order_of_words_matters(clip: Clip) -> None:
    one, other = clip.embed_texts(["a dog", "dog a"])
    assert not torch.allclose(one, other)


def test_what_is_saved_says_the_same(clip: Clip, tmp_path: Path) -> None:
    clip.half().float()  # as it is kept
    save_clip(clip, tmp_path)
    again = load_clip(tmp_path)
    assert again.config == clip.config
    torch.testing.assert_close(again.embed_pictures(PICTURES), clip.embed_pictures(PICTURES))
    torch.testing.assert_close(again.embed_texts(["a dog"]), clip.embed_texts(["a dog"]))
