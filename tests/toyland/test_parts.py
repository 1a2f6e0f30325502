"""Which part of which object a token shows: by area, in its box, halved; and hearing it."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.toyland.tiny import CHANNELS, tiny_modules
from toyland.label import Label, Thing
from toyland.objects import OBJECTS
from toyland.parts import (
    NUMBERS,
    TOKEN,
    PartReader,
    dominant_things,
    find_parts,
    halve_parts,
    overhear,
    part_error,
)
from toyland.zones import Zone

DOG = NUMBERS["dog"]
LABEL = Label("meadow", (Thing("dog", Zone.GROUND),))


def test_a_square_shows_what_fills_most_of_it() -> None:
    instances = np.zeros((1, TOKEN, 3 * TOKEN), np.uint8)
    instances[0, :, :9], instances[0, :, 9:16] = 2, 1
    instances[0, 0, 20] = 1  # too little to be seen
    assert dominant_things(instances).tolist() == [[[2, 0, 0]]]


def test_parts_are_told_in_half_boxes_from_the_middle() -> None:
    instances = np.ones((1, 4 * TOKEN, 2 * TOKEN), np.uint8)
    parts = find_parts(instances, [LABEL], [[(0, 0, 2 * TOKEN, 4 * TOKEN)]])
    assert (parts[..., 0] == DOG).all()
    assert parts[0, 0, :, 1].tolist() == [-0.5, 0.5]
    assert parts[0, :, 0, 2].tolist() == [-0.75, -0.25, 0.25, 0.75]


def test_the_bare_scene_has_no_parts() -> None:
    instances = np.zeros((2, TOKEN, TOKEN), np.uint8)
    assert not find_parts(instances, [Label("beach", ())] * 2, [[], []]).any()


def test_halving_keeps_what_the_fullest_square_shows() -> None:
    parts, shares = torch.arange(2 * 4 * 3.0).reshape(1, 2, 4, 3), torch.zeros(1, 2, 4)
    shares[0, 1, 0], shares[0, 0, 3] = 0.3, 0.9
    assert halve_parts(parts, shares).tolist() == [[[parts[0, 1, 0].tolist(), parts[0, 0, 3].tolist()]]]


@pytest.fixture
def truth() -> torch.Tensor:
    """(1, 3, 3): scene, and a dog's two sides."""
    return torch.tensor([[[0.0, 0, 0], [DOG, -0.5, 0], [DOG, 0.5, 0]]])


def said_of(parts: torch.Tensor) -> torch.Tensor:
    """A reader that is sure and right."""
    return torch.cat([30 * F.one_hot(parts[..., 0].long(), len(OBJECTS) + 1), parts[..., 1:]], -1)


def test_only_the_truth_costs_nothing(truth: torch.Tensor) -> None:
    weight = torch.ones(1)
    assert part_error(said_of(truth), truth, weight).item() == pytest.approx(0, abs=1e-6)
    elsewhere = truth.clone()
    elsewhere[0, 1, 1] = 0.5
    other = truth.clone()
    other[0, 2, 0] = DOG + 1
    for wrong in (elsewhere, other):
        assert part_error(said_of(wrong), truth, weight) > 0.01
        assert part_error(said_of(wrong), truth, 0 * weight) == 0


def test_places_of_the_bare_scene_are_nobodys_business(truth: torch.Tensor) -> None:
    said = said_of(truth)
    said[0, 0, -2:] = 9
    assert part_error(said, truth, torch.ones(1)).item() == pytest.approx(0, abs=1e-6)


def test_overhearing_changes_nothing_and_ends() -> None:
    transformer = tiny_modules().transformer.eval()
    inputs = {
        "hidden_states": torch.randn(1, 4, 4 * CHANNELS),
        "encoder_hidden_states": torch.randn(1, 3, 8),
        "pooled_projections": torch.randn(1, 8),
        "timestep": torch.ones(1),
        "guidance": torch.ones(1),
        "img_ids": torch.zeros(4, 3),
        "txt_ids": torch.zeros(3, 3),
    }
    names = [name for name, _ in transformer.named_parameters()]
    with torch.no_grad():
        before = transformer(**inputs).sample
        with overhear(transformer) as overheard:
            during = transformer(**inputs).sample
    assert torch.equal(before, during)
    assert PartReader(transformer.inner_dim)(overheard.heard).shape == (1, 4, len(OBJECTS) + 3)
    assert [name for name, _ in transformer.named_parameters()] == names
