"""Judges opened by name, as tiny checkpoints on disk, and Toyland's own, on what they should agree on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

from evaluation.metrics.judges import HubClip, Judges, hub_judges, toyland_judges
from evaluation.metrics.measuring import measure
from tests.evaluation.samples import TOLD, picture
from tests.workers import pipelines
from workers.addit.boxes import Detection
from workers.addit.errors import UnsupportedOption
from workers.addit.localizers import Picture

CPU = torch.device("cpu")


def save_clip(folder: Path) -> None:
    """With Toyland's words and towers of one layer."""
    torch.manual_seed(0)
    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    tokenizer = pipelines.flux().tokenizer
    text = tower | {"vocab_size": len(tokenizer), "max_position_embeddings": 32, "eos_token_id": 1}
    config = CLIPConfig(
        text_config=text, vision_config=tower | {"image_size": 32, "patch_size": 8}, projection_dim=8
    )
    CLIPModel(config).save_pretrained(folder)
    size = {"shortest_edge": 32}
    images = CLIPImageProcessor(size=size, crop_size={"height": 32, "width": 32})
    images.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def test_a_clip_by_name_gives_unit_vectors_of_one_space(tmp_path: Path) -> None:
    save_clip(tmp_path)
    clip = HubClip(str(tmp_path), CPU)
    pictures, texts = clip.embed_pictures([picture(), picture(1)]), clip.embed_texts([TOLD.prompt])
    assert pictures.shape == (2, 8)
    assert texts.shape == (1, 8)
    torch.testing.assert_close(torch.cat([pictures, texts]).norm(dim=1), torch.ones(3))


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    judges = hub_judges(str(tmp_path / "nothing"), str(tmp_path / "nothing"), CPU)
    assert judges.clip is not None
    with pytest.raises(UnsupportedOption):
        judges.clip.embed_texts(["a"])
    assert hub_judges("", "owlv2", CPU).clip is None


def seen(*boxes: tuple[float, float, float, float]) -> Judges:
    """Who finds those in every picture but a black one."""

    def detect(picture: Picture, text: str) -> list[Detection]:
        assert text == TOLD.subject
        return [Detection(box, 1.0) for box in boxes] if picture.any() else []

    return Judges("scripted", None, detect)


def test_what_the_source_shows_was_not_added() -> None:
    judges, box = seen((8, 8, 24, 24)), ((0.0, 0.0, 64.0, 64.0),)
    same = measure(judges, TOLD, picture(), picture(), box, None)
    assert (same["inclusion"], same["added"], same["affordance"]) == (1.0, 0.0, 0.0)
    new = measure(judges, TOLD, np.zeros_like(picture()), picture(), box, None)
    assert (new["inclusion"], new["added"], new["affordance"]) == (1.0, 1.0, 1.0)


def test_figures_without_a_judge_are_left_out() -> None:
    found = measure(seen(), TOLD, picture(), picture(), (), None)
    assert found["clip_dir"] is None
    assert found["affordance"] is None
    assert found["relation"] is None
    assert found["background_error"] == 0.0
    assert found["identical"] == 1.0
    assert found["shift"] == 0.0


def test_two_of_asks_for_two() -> None:
    item = replace(TOLD, relation="two of")
    black, shown = np.zeros_like(picture()), picture()
    assert measure(seen((0, 0, 9, 9)), item, black, shown, (), None)["relation"] == 0.0
    assert measure(seen((0, 0, 9, 9), (20, 20, 30, 30)), item, black, shown, (), None)["relation"] == 1.0


def test_toylands_judges_open() -> None:
    judges = toyland_judges()
    found = measure(judges, TOLD, picture(side=256), picture(1, side=256), (), None)
    assert found["clip_im"] is not None
    assert judges.name.startswith("toyland ")
