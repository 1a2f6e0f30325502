"""Prompts are encoded once for each source, and forgotten with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from tests.workers.addit.backbones.families import FAMILIES, PROMPTS
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.text_memory import MOST_TEXTS, TextMemory

CPU = torch.device("cpu")
GUIDANCE = (1.0, 3.5)


@dataclass
class Encoder:
    """Stands in for a backbone's text encoders: a prompt's length, in every number."""

    asked: list[str] = field(default_factory=list)

    def encode_prompts(self, prompts: Any, guidance: Any) -> list[Conditioning]:
        self.asked += prompts
        return [
            Conditioning(torch.full((1, 2, 3), float(len(prompt))), None, scale)
            for prompt, scale in zip(prompts, guidance, strict=True)
        ]


def encode(texts: TextMemory, encoder: Encoder, source: str, *prompts: str) -> list[float]:
    told = texts.encode(cast(Any, encoder), source, prompts, [1.0] * len(prompts))
    return [float(cond.prompt_embeds[0, 0, 0]) for cond in told]


def tensors(cond: Conditioning) -> list[Tensor]:
    own = [cond.prompt_embeds, cond.pooled_prompt_embeds]
    return [one for one in own if one is not None] + (tensors(cond.negative) if cond.negative else [])


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_what_is_remembered_is_what_was_encoded(family: str) -> None:
    backbone, texts = FAMILIES[family](), TextMemory(CPU, CPU)
    fresh = backbone.encode_prompts(PROMPTS, GUIDANCE)
    texts.encode(backbone, "a source", PROMPTS[:1], GUIDANCE[:1])
    for _ in range(2):
        known = texts.encode(backbone, "a source", PROMPTS, GUIDANCE)
        for one, other in zip(known, fresh, strict=True):
            assert (one.guidance, one.text_len) == (other.guidance, other.text_len)
            torch.testing.assert_close(tensors(one), tensors(other), atol=1e-5, rtol=0)


def test_only_what_is_new_is_encoded_and_once() -> None:
    texts, encoder = TextMemory(CPU, CPU), Encoder()
    assert encode(texts, encoder, "a source", "bed", "a bed") == [3, 5]
    assert encode(texts, encoder, "a source", "a bed", "a dog!", "bed", "a dog!") == [5, 6, 3, 6]
    assert encoder.asked == ["bed", "a bed", "a dog!"]


def test_another_source_knows_nothing_and_a_forgotten_one_no_more() -> None:
    texts, encoder = TextMemory(CPU, CPU), Encoder()
    for source in ("one", "other"):
        encode(texts, encoder, source, "a bed")
    texts.forget("one")
    for source in ("one", "other"):
        encode(texts, encoder, source, "a bed")
    assert len(encoder.asked) == 3


def test_the_least_recently_used_makes_room() -> None:
    texts, encoder = TextMemory(CPU, CPU), Encoder()
    prompts = ["x" * length for length in range(1, MOST_TEXTS + 1)]
    encode(texts, encoder, "a source", *prompts)
    encode(texts, encoder, "a source", prompts[0])
    encode(texts, encoder, "a source", "a bed")
    assert len(texts) == MOST_TEXTS
    encoder.asked.clear()
    encode(texts, encoder, "a source", prompts[0], prompts[1])
    assert encoder.asked == [prompts[1]]
