"""Encoded datasets: drawn with their shares, halved, and made once."""

from pathlib import Path

import numpy as np
import torch

from toyland.dataset import build_dataset
from toyland.encoded import Drawn, Encoded, encode_dataset, object_shares, sampling_odds
from toyland.label import Label, Thing
from toyland.train_vae import build_autoencoder
from toyland.world import World
from toyland.zones import Zone


def test_a_sample_comes_with_its_own_shares_and_parts_as_often_as_its_odds_say() -> None:
    numbers = np.arange(3, dtype=np.float16)
    latents = np.broadcast_to(numbers[:, None, None, None], (3, 1, 4, 4))
    shares = np.broadcast_to(numbers[:, None, None], (3, 2, 2))
    parts = np.broadcast_to(numbers[:, None, None, None], (3, 2, 2, 3))
    encoded = Encoded(latents, shares, parts, np.array([1, 0, 3], np.float32))
    drawn = encoded.draw(400, torch.Generator().manual_seed(0))
    assert torch.equal(drawn.latents[:, 0, 0, 0], drawn.indices.float())
    assert torch.equal(drawn.shares[:, 0, 0], drawn.indices.float())
    assert torch.equal(drawn.parts[:, 0, 0, 1], drawn.indices.float())
    counts = torch.bincount(drawn.indices, minlength=3).tolist()
    assert counts[1] == 0
    assert 2 < counts[2] / counts[0] < 4


def test_shares_count_pixels_of_things() -> None:
    instances = np.zeros((1, 32, 32), np.uint8)
    instances[0, :16, :8] = 2
    assert object_shares(instances).tolist() == [[[0.5, 0.0], [0.0, 0.0]]]


def test_halving_averages() -> None:
    shares = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    drawn = Drawn(torch.zeros(1), torch.ones(1, 1, 4, 4), shares, torch.ones(1, 2, 2, 3)).halved()
    assert torch.equal(drawn.latents, torch.ones(1, 1, 2, 2))
    assert drawn.shares.tolist() == [[[0.25]]]
    assert drawn.parts.shape == (1, 1, 1, 3)


def test_encoded_once(world: World, tmp_path: Path) -> None:
    dataset = build_dataset(world, 5, 2, tmp_path)
    encoded = encode_dataset(build_autoencoder().eval(), dataset, tmp_path)
    written = (tmp_path / "latents.npy").stat().st_mtime_ns
    again = encode_dataset(build_autoencoder().eval(), dataset, tmp_path)
    assert encoded.latents.shape == (2, 16, 32, 32)
    assert not np.array_equal(encoded.latents[0], encoded.latents[1])
    assert np.array_equal(encoded.latents, again.latents)
    assert (tmp_path / "latents.npy").stat().st_mtime_ns == written


def _label(*names: str) -> Label:
    return Label("beach", tuple(Thing(name, Zone.GROUND) for name in names))


def test_rare_things_are_drawn_more_often() -> None:
    odds = sampling_odds([_label("dog")] * 8 + [_label("crab")])
    assert odds[0] < odds[8]


def test_crowded_scenes_are_drawn_more_often() -> None:
    things = ("dog", "cat", "cow", "pig", "hat")
    odds = sampling_odds([_label(*things[:count]) for count in range(len(things))])
    assert odds[0] < odds[1] < odds[2] < odds[3]
    usual = sampling_odds([_label(name) for name in things] * 4 + [_label(*things[:3])])
    assert usual[-1] == 2 * usual[0]
