"""A mode or LoRA that the model does not have is refused before it is queued, with what there is."""

from __future__ import annotations

from typing import Any

import pytest

from api_schemas.insertions import InsertionRequest, Options
from api_schemas.models import ModelCard
from service.errors import Refusal
from service.offers import check_offers

CARD = ModelCard(
    name="m", description="", licence="", native_width=64, native_height=64, size_multiple=16,
    max_pixels=4096, max_aspect=4, presets={"p": Options()},
    default_presets={"image": "p", "generated": "p"}, localizers=["attention"], max_prompt_tokens=32,
    modes=["exact", "turbo"], loras=["ink", "wash"],
)  # fmt: skip


INK_AND_WASH = [{"name": "ink", "scale": 0.8}, {"name": "wash", "scale": -0.5}]


def request(**more: Any) -> InsertionRequest:
    source = {"kind": "generated", "prompt": "a beach"}
    return InsertionRequest.model_validate(
        {"source": source, "prompt": "a beach with a dog", "subject": "dog", **more}
    )


@pytest.mark.parametrize("more", [{}, {"mode": "turbo"}, {"loras": INK_AND_WASH}, {"loras": {"ink": 0.8}}])
def test_what_the_card_names_is_taken(more: dict[str, Any]) -> None:
    check_offers(request(**more), CARD)


@pytest.mark.parametrize(
    ("more", "option", "known"),
    [
        ({"mode": "fast"}, "mode", ["exact", "turbo"]),
        ({"loras": {"oil": 1}}, "loras", ["ink", "wash"]),
        ({"loras": [{"name": "oil", "scale": 1}, {"name": "ink"}]}, "loras", ["ink", "wash"]),
    ],
)
def test_what_it_does_not_name_is_refused(more: dict[str, Any], option: str, known: list[str]) -> None:
    with pytest.raises(Refusal) as caught:
        check_offers(request(**more), CARD)
    assert caught.value.code == "unsupported_option"
    assert caught.value.data == {"option": option, "known": known}
