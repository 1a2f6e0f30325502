"""The segmenter's recipe: its loss reaches what is trained, and prompts mean what they point at."""

import numpy as np
import pytest
import torch
from torch import nn

from toyland.detection_targets import NOBODY
from toyland.segmenter import build_segmenter
from toyland.train_segmenter import SegmenterRecipe, hidden_matrices, naming_loss, pick_instances
from toyland.workshop import SHIPPED

CLASSES = torch.tensor([[1, 0]] * 3 + [[NOBODY, NOBODY]])

pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight:UserWarning")


@pytest.fixture
def recipe() -> SegmenterRecipe:
    """Four pictures of noise, three of them with two things in it."""
    pictures = np.random.default_rng(0).integers(0, 256, (4, 128, 128, 3), dtype=np.uint8)
    instances = np.zeros((4, 128, 128), np.uint8)
    instances[:3, 40:80, 30:90] = 1
    instances[:3, 90:120, 10:40] = 2
    model, naming = build_segmenter(SHIPPED / "sam2"), nn.Conv2d(64, 3, 1)
    return SegmenterRecipe(model, naming, pictures, instances, CLASSES, batch=4)


def touched(module: nn.Module) -> bool:
    """Whether any parameter got a gradient."""
    return any(parameter.grad is not None for parameter in module.parameters())


def test_the_loss_reaches_all_but_the_memory(recipe: SegmenterRecipe) -> None:
    loss = recipe.loss(torch.Generator().manual_seed(0))
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert touched(recipe.model.image_encoder)
    assert touched(recipe.model.sam_mask_decoder)
    assert touched(recipe.naming)
    assert not touched(recipe.model.memory_attention)


def test_prompts_point_at_what_they_mean(recipe: SegmenterRecipe) -> None:
    instances = torch.from_numpy(recipe.instances[:3])
    kinds = recipe._draw_prompts(instances, torch.Generator().manual_seed(0))
    assert sum(len(rows) for _, rows, _ in kinds) == 6 * len(instances)
    for prompts, rows, wanted in kinds:
        assert wanted.shape == (len(rows), 128, 128)
        if prompts.labels is None or (prompts.labels != 1).any():
            continue
        assert prompts.points is not None
        for mask, points in zip(wanted, prompts.points / 2, strict=True):  # the model sees 256 pixels
            assert not mask.any() or all(mask[int(y), int(x)] for x, y in points)


def test_empty_scenes_are_left_out(recipe: SegmenterRecipe) -> None:
    for seed in range(5):
        _, instances, classes = recipe._draw_pictures(torch.Generator().manual_seed(seed))
        assert (instances > 0).flatten(1).any(1).all()
        assert (classes != NOBODY).all()


def test_cells_are_named_after_what_they_show(recipe: SegmenterRecipe) -> None:
    instances = torch.from_numpy(recipe.instances[:1])
    right = torch.zeros(1, 3, 32, 32)
    right[0, 0] = 20 * (instances[0, 2::4, 2::4] == 0)
    right[0, 2] = 20 * (instances[0, 2::4, 2::4] == 1)  # the first is of class 1, which is channel 2
    right[0, 1] = 20 * (instances[0, 2::4, 2::4] == 2)
    assert naming_loss(right, instances, CLASSES[:1]) < 0.2
    assert naming_loss(right.flip(1), instances, CLASSES[:1]) > 2


def test_matrices_for_muon_are_views(recipe: SegmenterRecipe) -> None:
    matrices = hidden_matrices(recipe.model)
    assert len(matrices) > 20
    assert all(matrix.is_contiguous() for matrix in matrices)


def test_every_instance_is_picked_now_and_then() -> None:
    instances = torch.zeros(1, 4, 4, dtype=torch.uint8)
    instances[0, 0], instances[0, 2] = 1, 3  # the second is wholly hidden
    picks = [pick_instances(instances, torch.Generator().manual_seed(seed))[0] for seed in range(20)]
    assert {int(instances[0][pick].max()) for pick in picks} == {1, 3}
