"""The bias on the subject's words, against the mask written out."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from workers.addit.subject_bias import SubjectBias

TEXT_LEN, LENT = 4, 5
CELLS = torch.tensor([1.5, 0.0, -2.0])
BIAS = SubjectBias(CELLS, (1, 2), TEXT_LEN)


def test_only_the_image_attends_otherwise_and_only_to_the_subject() -> None:
    own = TEXT_LEN + len(CELLS)
    query, key, value = torch.randn(2, own, 3, 8), *torch.randn(2, 2, LENT + own, 3, 8)
    q, k, v = (part.transpose(1, 2) for part in BIAS(query, key, value))
    attended = F.scaled_dot_product_attention(q, k, v, scale=8**-0.5)[..., :8]
    mask = torch.zeros(own, LENT + own)
    mask[TEXT_LEN:, [LENT + 1, LENT + 2]] = CELLS[:, None]
    q, k, v = (part.transpose(1, 2) for part in (query, key, value))
    torch.testing.assert_close(attended, F.scaled_dot_product_attention(q, k, v, attn_mask=mask))


def test_a_silent_one_adds_nothing_but_width() -> None:
    query, key, value = torch.randn(3, 1, TEXT_LEN + len(CELLS), 2, 8)
    for wide, narrow in zip(BIAS.silent()(query, key, value), (query, key, value), strict=True):
        assert torch.equal(wide[..., :8], narrow)
    assert not BIAS.silent()(query, key, value)[0][..., 8:].any()


def test_it_runs_where_there_are_no_numbers() -> None:
    states = torch.empty(1, TEXT_LEN + len(CELLS), 2, 8, dtype=torch.bfloat16, device="meta")
    for wide in BIAS(states, states, states):
        assert (wide.is_meta, wide.dtype, wide.shape[-1]) == (True, torch.bfloat16, 16)
