"""Captions: true wordings, new templates of known words, and what an insertion is asked with."""

import numpy as np
import pytest
from transformers import AutoTokenizer

from toyland.captions import (
    HELD_OUT_TEMPLATES,
    TRAINED_TEMPLATES,
    caption,
    insertion_prompts,
    plain_caption,
    plain_label_caption,
)
from toyland.label import Label, Thing
from toyland.light import Condition
from toyland.phrases import with_article
from toyland.vocabulary import caption_words
from toyland.workshop import SHIPPED
from toyland.world import World
from toyland.zones import Zone

MEADOW = Label("meadow", (Thing("snowman", Zone.GROUND), Thing("dog", Zone.GROUND)))
WEARING = Label("snowy field", (Thing("snowman", Zone.GROUND), Thing("cap", Zone.HEAD, "red", host=0)))
NEIGHBOURS = Label("desert", (Thing("camel", Zone.GROUND), Thing("cactus", Zone.GROUND, host=0)))


def wordings(label: Label) -> set[str]:
    """Many captions of one label."""
    return {caption(label, np.random.default_rng(seed)) for seed in range(300)}


def test_plain_caption() -> None:
    assert plain_caption("beach", ["dog", "airplane"]) == "a photo of a beach with a dog and an airplane"


def test_article() -> None:
    assert [with_article(name) for name in ("apple", "ufo", "dog")] == ["an apple", "a ufo", "a dog"]
    assert with_article("umbrella", "red") == "a red umbrella"
    assert with_article("car", "orange") == "an orange car"


def test_the_plain_caption_is_the_most_frequent() -> None:
    texts = [caption(MEADOW, np.random.default_rng(seed)) for seed in range(200)]
    plain = {plain_caption("meadow", names) for names in (["snowman", "dog"], ["dog", "snowman"])}
    assert 0.35 < sum(text in plain for text in texts) / len(texts) < 0.55


def test_wordings_vary_and_always_name_the_thing() -> None:
    found = wordings(Label("bedroom", (Thing("cat", Zone.BED),)))
    assert "a photo of a cat on a bed in a bedroom" in found
    assert "there is a cat on a bed in a bedroom" in found
    assert "a bedroom with a cat" in found
    assert all("cat" in wording for wording in found)


def test_what_is_carried_is_named_by_its_bearer() -> None:
    found = wordings(WEARING)
    assert "a photo of a snowy field with a snowman wearing a red cap" in found
    assert all("a snowman wearing a" in wording for wording in found)
    assert plain_label_caption(WEARING) == "a photo of a snowy field with a snowman wearing a cap"


def test_next_to_is_said_of_neighbours_only() -> None:
    assert "a photo of a cactus next to a camel in a desert" in wordings(NEIGHBOURS)
    assert not any("next to" in wording for wording in wordings(MEADOW))


def test_a_light_that_is_not_plain_is_told_at_times() -> None:
    found = [caption(Label("lake", (), Condition.NIGHT), np.random.default_rng(seed)) for seed in range(200)]
    assert 0.2 < sum("at night" in text for text in found) / len(found) < 0.5


@pytest.mark.parametrize("label", [MEADOW, WEARING, NEIGHBOURS])
def test_held_out_templates_say_what_no_trained_one_does(label: Label) -> None:
    assert len(HELD_OUT_TEMPLATES) == 2
    new = {caption(label, np.random.default_rng(seed), HELD_OUT_TEMPLATES) for seed in range(100)}
    assert not new & wordings(label)
    assert any(text.startswith("a picture showing") for text in new)
    assert any(text.startswith("in the picture there is") for text in new)


def test_held_out_templates_need_no_new_word() -> None:
    known = {
        word for label in (MEADOW, WEARING, NEIGHBOURS) for text in wordings(label) for word in text.split()
    }
    scene_words = {
        word for text in wordings(Label("room", (Thing("cup", Zone.TABLE),))) for word in text.split()
    }
    new = {
        word
        for seed in range(50)
        for word in caption(MEADOW, np.random.default_rng(seed), HELD_OUT_TEMPLATES).split()
    }
    assert new <= known | scene_words | {"the"}


def test_an_insertion_names_the_new_thing_last() -> None:
    assert insertion_prompts(MEADOW, "ball", Zone.GROUND) == (
        "a photo of a meadow with a snowman and a dog",
        "a photo of a meadow with a snowman and a dog and a ball",
    )


def test_an_insertion_on_a_head_names_its_wearer_last() -> None:
    assert insertion_prompts(MEADOW, "hat", Zone.HEAD) == (
        "a photo of a meadow with a dog and a snowman",
        "a photo of a meadow with a dog and a snowman wearing a hat",
    )


def test_every_word_is_in_the_vocabulary_and_no_caption_is_long(world: World) -> None:
    words = set(caption_words(world))
    for index in range(80):
        label = world.draw(6, index).label
        for templates in (TRAINED_TEMPLATES, HELD_OUT_TEMPLATES if label.things else TRAINED_TEMPLATES):
            spoken = caption(label, np.random.default_rng(index), templates).split()
            assert set(spoken) <= words
            assert len(spoken) <= 30


@pytest.mark.parametrize("name", ["tokenizer", "tokenizer_2"])
def test_shipped_tokenizers_know_every_word(world: World, name: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED / "pipeline" / name)
    assert set(caption_words(world)) <= set(tokenizer.get_vocab())
    longest = max((world.draw(6, index).caption for index in range(60)), key=lambda text: len(text.split()))
    assert len(tokenizer(longest).input_ids) <= tokenizer.model_max_length
