"""Pairs differ by their subject alone."""

from pathlib import Path

import numpy as np
import torch

from toyland.pairs import encode_pairs, without_last
from toyland.train_vae import build_autoencoder
from toyland.world import World


def test_only_the_subject_and_what_it_casts_differ(world: World) -> None:
    for index in range(6):
        sample = world.draw(5, index, count=2)
        if not sample.placed:
            continue
        before, after = without_last(sample), np.asarray(sample.picture)
        changed = (before != after).any(-1)
        left, top, right, bottom = sample.boxes[-1]
        subject = sample.masks[-1]
        assert changed[subject].mean() > 0.8
        height, width = bottom - top, right - left
        near = np.zeros_like(changed)
        near[max(0, top - height // 4) : bottom + height + 8, max(0, left - width) : right + width] = True
        assert not (changed & ~near).any()


def test_a_scene_without_things_is_what_is_left_of_one(world: World) -> None:
    sample = next(
        sample for sample in (world.draw(5, index, count=1) for index in range(9)) if len(sample.placed) == 1
    )
    assert (without_last(sample) == np.asarray(sample.empty)).all()


def test_pairs_are_encoded_once(world: World, tmp_path: Path) -> None:
    torch.manual_seed(0)
    vae = build_autoencoder().eval()
    pairs = encode_pairs(vae, world, 5, 3, tmp_path)
    assert pairs.latents.shape[:2] == (2, 3)
    assert len(pairs.subjects) == 3
    assert not np.array_equal(pairs.latents[0], pairs.latents[1])
    again = encode_pairs(build_autoencoder(), world, 5, 3, tmp_path)
    assert np.array_equal(again.latents, pairs.latents)
