from __future__ import annotations

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
