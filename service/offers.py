"""What a model's card offers by name: modes and LoRAs."""

from __future__ import annotations

from collections.abc import Collection

from api_schemas.insertions import InsertionRequest
from api_schemas.models import ModelCard
from service.errors import Refusal


def check_offers(request: InsertionRequest, card: ModelCard) -> None:
    """Raise `Refusal` where the request names a mode or a LoRA that the model does not have."""
    _check("mode", [request.mode], card.modes, card.name)
    _check("loras", request.lora_scales(), card.loras, card.name)


def _check(option: str, asked: Collection[str], known: Collection[str], model: str) -> None:
    missing = [name for name in asked if name not in known]
    if missing:
        raise Refusal(
            "unsupported_option",
            f"{model} does not have {option} {', '.join(map(repr, missing))}.",
            data={"option": option, "known": list(known)},
        )
