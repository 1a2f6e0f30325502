"""What passes have in common is computed once, and gives what each would have computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.workers.addit.backbones.families import FAMILIES, GRID, leave_alone, noise, told
from workers.addit.backbones import foreseen
from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.foreseen import MODULATED, Answering
from workers.models.compiling import compile_blocks

LEVELS = [0.9, 0.6, 0.3]


@pytest.fixture(params=["flux", "schnell", "kontext"])
def backbone(request: pytest.FixtureRequest) -> Iterator[Backbone]:
    """Those of FLUX.1's transformer."""
    with torch.no_grad():
        yield FAMILIES[request.param]()


@contextmanager
def computed(transformer: Any) -> Iterator[Counter[str]]:
    """How often the modules that may answer computed."""
    counts: Counter[str] = Counter()
    asked = [part.linear for part in transformer.modules() if isinstance(part, MODULATED)]
    named = {
        "modulation": asked,
        "embedding": [transformer.time_text_embed],
        "place": [transformer.pos_embed],
    }
    handles = [
        part.register_forward_hook(lambda *_, name=name: counts.update([name]))
        for name, parts in named.items()
        for part in parts
    ]
    yield counts
    for handle in handles:
        handle.remove()


def velocity(backbone: Backbone, sigma: float, rows: int = 1) -> Tensor:
    """Told the target's prompt."""
    return backbone.velocity(noise(backbone, *range(rows)), sigma, told(backbone)[1], GRID, leave_alone)


def test_passes_at_foreseen_levels_compute_no_modulation(backbone: Backbone) -> None:
    with backbone.exchange_processors():
        alone = [velocity(backbone, sigma) for sigma in LEVELS]
    with computed(backbone.transformer) as counts, backbone.exchange_processors():
        backbone.foresee(told(backbone)[1], LEVELS)
        once = counts.copy()
        known = [velocity(backbone, sigma) for sigma in LEVELS]
        assert counts - once == Counter(place=1)
        velocity(backbone, 0.5)
        velocity(backbone, LEVELS[0], rows=2)
    assert once["embedding"] == 1
    assert counts["embedding"] == 3
    assert counts["modulation"] == 3 * once["modulation"] > 0
    for one, other in zip(alone, known, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_another_prompt_is_another_question(backbone: Backbone) -> None:
    source = told(backbone)[0]
    with backbone.exchange_processors():
        alone = backbone.velocity(noise(backbone), LEVELS[0], source, GRID, leave_alone)
        backbone.foresee(told(backbone)[1], LEVELS)
        torch.testing.assert_close(
            backbone.velocity(noise(backbone), LEVELS[0], source, GRID, leave_alone), alone
        )


def test_modules_are_given_back_whatever_happens(backbone: Backbone) -> None:
    before = dict(backbone.transformer.named_modules())
    with backbone.exchange_processors():
        assert isinstance(backbone.transformer.time_text_embed, Answering)
    with pytest.raises(AttributeError), backbone.exchange_processors():
        backbone.nothing_there  # type: ignore[attr-defined]  # noqa: B018
    assert dict(backbone.transformer.named_modules()) == before


def test_borrowing_twice_lends_once(backbone: Backbone) -> None:
    with backbone.exchange_processors(), backbone.exchange_processors():
        backbone.foresee(told(backbone)[1], LEVELS)
        assert not isinstance(backbone.transformer.time_text_embed.inner, Answering)


def test_the_oldest_answers_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreseen, "MOST_ANSWERS", 2)
    module = Answering(torch.nn.Identity(), keeps=True)
    asked = [torch.full((1, 2), float(number)) for number in range(3)]
    for given in asked:
        assert module(given) is given
    assert all(kept is given for kept, given in zip(module.known.values(), asked[1:], strict=True))


def test_compiled_blocks_and_weights_that_come_and_go_are_left_alone(backbone: Backbone) -> None:
    transformer = backbone.transformer
    compile_blocks(transformer, "none")
    with backbone.exchange_processors():
        assert not isinstance(transformer.time_text_embed, Answering)
        backbone.foresee(told(backbone)[1], LEVELS)
    hooked = FAMILIES["flux"]()
    linear = hooked.transformer.norm_out.linear
    linear.forward = linear.forward
    with hooked.exchange_processors():
        assert not isinstance(hooked.transformer.time_text_embed, Answering)
