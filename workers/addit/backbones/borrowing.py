"""Attention processors lent to a transformer for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def borrowed_attention(transformer: Any, ours: Mapping[str, Any]) -> Iterator[None]:
    """Install `ours` by processor name, each with the backend of the one it replaces; put the previous ones
    back, whatever happens."""
    previous = transformer.attn_processors
    for name, processor in ours.items():
        processor._attention_backend = getattr(previous[name], "_attention_backend", None)
    transformer.set_attn_processor(dict(ours))  # set_attn_processor pops entries from what it is given
    try:
        yield
    finally:
        transformer.set_attn_processor(dict(previous))
