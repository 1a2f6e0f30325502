"""Common words are found whatever stands between them."""

from __future__ import annotations

from evaluation.methods.word_alignment import common_tokens
from tests.evaluation.samples import TOLD
from tests.workers import pipelines


def test_new_words_have_no_partner() -> None:
    tokenizer = pipelines.flux().tokenizer_2
    pairs = common_tokens(tokenizer, TOLD.source_prompt, TOLD.prompt, 16)
    before, after = (tokenizer(text).input_ids for text in (TOLD.source_prompt, TOLD.prompt))
    words = [(a, b) for a, b in pairs if a < len(before)]
    assert [before[a] for a, _ in words] == before  # "a photo of a beach" and the end mark
    assert all(before[a] == after[b] for a, b in words)
    new = {after[b] for b in range(len(after)) if b not in {b for _, b in words}}
    assert new == set(tokenizer("with a dog", add_special_tokens=False).input_ids)
    padding = [(a, b) for a, b in pairs if a >= len(before)]
    assert padding == [(len(before) + n, len(after) + n) for n in range(16 - len(after))]


def test_equal_prompts_are_common_throughout() -> None:
    tokenizer = pipelines.flux().tokenizer_2
    assert common_tokens(tokenizer, TOLD.prompt, TOLD.prompt, 16) == [(n, n) for n in range(16)]
