"""Moments tell standard normal noise from noise that is smaller, peaked or smooth."""

import pytest
import torch

from toyland.score.naturalness import implied_noise, moments
from workers.addit.latents import LatentGrid, add_noise

GRID = LatentGrid(12, 20)


def drawn(seed: int = 0) -> torch.Tensor:
    return torch.randn(1, GRID.tokens, 64, generator=torch.Generator().manual_seed(seed))


def test_standard_normal_noise_is_natural() -> None:
    found = moments(drawn(), GRID)
    assert found.mean == pytest.approx(0, abs=0.03)
    assert found.std == pytest.approx(1, abs=0.03)
    assert found.kurtosis == pytest.approx(0, abs=0.15)
    assert found.neighbours == pytest.approx(0, abs=0.03)


def test_mean_and_std_are_those_of_all_numbers() -> None:
    found = moments(0.6 * drawn() + 0.25, GRID)
    assert found.mean == pytest.approx(0.25, abs=0.02)
    assert found.std == pytest.approx(0.6, abs=0.02)


def test_a_laplace_distribution_has_an_excess_kurtosis_of_three() -> None:
    torch.manual_seed(0)
    noise = torch.distributions.Laplace(0.0, 1.0).sample((1, 4 * GRID.tokens, 64))
    assert moments(noise, LatentGrid(24, 40)).kurtosis == pytest.approx(3, abs=0.3)


def test_neighbours_that_share_half_of_their_noise_correlate_by_half() -> None:
    cells = drawn().reshape(GRID.height, GRID.width, 64)
    beside = (cells + cells.roll(1, dims=1)) / 2**0.5  # 0.5 with the one beside, 0 with the one below
    assert moments(beside.reshape(1, -1, 64), GRID).neighbours == pytest.approx(0.25, abs=0.04)


def test_implied_noise_undoes_noising() -> None:
    x0, noise = drawn(1), drawn(2)
    assert torch.allclose(implied_noise(add_noise(x0, noise, 0.7), x0, 0.7), noise, atol=1e-5)
