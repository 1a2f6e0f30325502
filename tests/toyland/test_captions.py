"""Captions: the wordings, and that both shipped tokenizers know every word of them."""

import numpy as np
import pytest
from transformers import AutoTokenizer

from toyland.captions import caption, plain_caption, with_article
from toyland.vocabulary import caption_words
from toyland.workshop import SHIPPED
from toyland.world import World
from toyland.zones import Zone


def test_plain_caption() -> None:
    assert plain_caption("beach", ["dog", "airplane"]) == "a photo of a beach with a dog and an airplane"


def test_article() -> None:
    assert [with_article(name) for name in ("apple", "ufo", "dog")] == ["an apple", "a ufo", "a dog"]


def test_wordings_vary_and_always_name_the_thing() -> None:
    things = [("cat", Zone.BED)]
    wordings = {caption("bedroom", things, np.random.default_rng(seed)) for seed in range(60)}
    assert "a photo of a cat on a bed in a bedroom" in wordings
    assert "a bedroom with a cat" in wordings
    assert all("cat" in wording for wording in wordings)


@pytest.mark.parametrize("name", ["tokenizer", "tokenizer_2"])
def test_shipped_tokenizers_know_every_word(world: World, name: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED / "pipeline" / name)
    assert set(caption_words(world)) <= set(tokenizer.get_vocab())
    longest = max((world.draw(6, index).caption for index in range(200)), key=len)
    assert len(tokenizer(longest).input_ids) <= tokenizer.model_max_length == 24
