"""Which tokens two prompts have in common, as Prompt-to-Prompt's refinement needs it."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any


def common_tokens(tokenizer: Any, source: str, target: str, text_len: int) -> list[tuple[int, int]]:
    """Pairs of positions (in the source's, in the target's padded tokens) that hold the same token in
    the same order. Padding is common too: the n-th of one prompt with the n-th of the other."""
    before, after = (tokenizer(text).input_ids[:text_len] for text in (source, target))
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    pairs = [(block.a + at, block.b + at) for block in blocks for at in range(block.size)]
    return pairs + list(zip(range(len(before), text_len), range(len(after), text_len), strict=False))
