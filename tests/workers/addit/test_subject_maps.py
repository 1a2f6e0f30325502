from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor

from workers.addit.latents import LatentGrid
from workers.addit.subject_maps import SubjectRecorder, recorded_steps

TEXT, IMAGE, LENT = 5, 6, 6
SUBJECTS = [[1, 2], [4]]


def matrix(query: Tensor, key: Tensor) -> Tensor:
    return (torch.einsum("blhd,bmhd->bhlm", query, key) / query.shape[-1] ** 0.5).softmax(-1).mean(1)


def test_maps_are_those_of_the_whole_matrix() -> None:
    torch.manual_seed(0)
    recorder = SubjectRecorder(["a", "b"], SUBJECTS, TEXT)
    rows, columns = {}, {}
    for step, lent in ((3, LENT), (4, 0)):
        whole = []
        for layer in ("a", "b", "unrecorded"):
            query, key = torch.randn(2, TEXT + IMAGE, 2, 4), torch.randn(2, lent + TEXT + IMAGE, 2, 4)
            recorder.record(step, layer, query, key)
            if layer != "unrecorded":
                whole.append(matrix(query, key))
        mean = torch.stack(whole).mean(0)
        rows[step] = torch.stack([mean[:, tokens, lent + TEXT :].mean(1) for tokens in SUBJECTS], 1)
        shifted = [[lent + token for token in tokens] for tokens in SUBJECTS]
        columns[step] = torch.stack([mean[:, TEXT:, tokens].mean(-1) for tokens in shifted], 1)
    grid = LatentGrid(2, 3)
    clean = recorder.maps([3, 4], grid, "columns").flatten(2)
    torch.testing.assert_close(clean, (columns[3] + columns[4]) / 2)
    quirk = recorder.maps([3, 4], grid, "reference").flatten(2)
    torch.testing.assert_close(quirk, rows[3] + rows[4] + columns[4])


def test_recording_starts_two_steps_before_the_blend_but_not_before_the_target() -> None:
    assert list(recorded_steps(15, first_step=4)) == [13, 14, 15]
    assert list(recorded_steps(4, first_step=4)) == [4]


@pytest.mark.parametrize("way", ["columns", "reference"])
def test_rows_that_leave_are_forgotten_and_the_others_go_on(way: Literal["columns", "reference"]) -> None:
    whole, part = (SubjectRecorder(["a"], SUBJECTS, TEXT) for _ in range(2))
    for step, rows in ((3, [0, 1, 2]), (4, [2, 0])):
        query, key = torch.randn(3, TEXT + IMAGE, 2, 4), torch.randn(3, TEXT + IMAGE, 2, 4)
        whole.record(step, "a", query, key)
        if step == 4:
            part.keep(rows)
        part.record(step, "a", query[rows], key[rows])
    maps, grid = whole.maps([3, 4], LatentGrid(2, 3), way), LatentGrid(2, 3)
    torch.testing.assert_close(part.maps([3, 4], grid, way), maps[[2, 0]])
