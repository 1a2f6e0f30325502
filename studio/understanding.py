"""What the service makes of the words before anything is placed, and what it would cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from api_schemas.estimates import Estimate
from api_schemas.insertions import InsertionRequest, SceneSource
from api_schemas.subjects import as_tuple
from studio import asking, words
from studio.asking import Wish, wish_of
from studio.desk import Desk, Ground
from studio.guard import Updates
from studio.views import Views


async def understand(
    views: Views, desk: Desk, picture: str | None, scene: str | None, scene_seed: int | None, *said: Any
) -> AsyncIterator[Updates]:
    """The three texts that follow from the words, and an estimate. Raises ClientError and Unclear."""
    wish, ground = wish_of(said), Ground(picture, scene or "", int(scene_seed or 0))
    if not (wish.add.strip() and (ground.is_given or desk.scene) and views.is_let_in(desk)):
        return
    async with views.connection.open(desk.key) as addit:
        estimate = await addit.estimate(_asked(desk, ground, wish))
    updates: Updates = {views.controls.understood: _told(estimate)}
    if estimate.request is not None:
        source_prompt, prompt, subject = views.controls.texts
        updates |= {
            source_prompt: estimate.request.source.prompt or "",
            prompt: estimate.request.prompt,
            subject: ", ".join(as_tuple(estimate.request.subject)),
        }
    yield updates


def _asked(desk: Desk, ground: Ground, wish: Wish) -> InsertionRequest:
    """What an estimate is asked of: the scene, or a picture that is not sent before it is needed."""
    said = asking.texts(wish) | {"options": asking.options(wish)}
    source_prompt = said.pop("source_prompt", None)
    source: dict[str, Any] = {"kind": "generated", "prompt": ground.words.strip() or "-", "seed": ground.seed}
    if desk.scene is not None and desk.stands_on(ground):
        source = SceneSource(scene_id=desk.scene.id, prompt=source_prompt).model_dump()
    elif ground.picture is not None:
        source = {"kind": "image", "image": asking.inside(ground.picture), "prompt": source_prompt}
    seeds = asking.seeds(wish.tries, wish.seed)
    return InsertionRequest.model_validate({"source": source, "seeds": seeds, **said})


def _told(estimate: Estimate) -> str:
    """The estimate for people."""
    if not estimate.accepted:
        return words.alert(estimate.problem.detail if estimate.problem else "It would be refused.")
    parts = []
    if estimate.cost is not None:
        known, new = estimate.cost.forwards_remembered, estimate.cost.forwards
        parts.append(f"{known:g} forwards where the scene is remembered, {new:g} where it is new")
    if estimate.eta_seconds is not None:
        parts.append(f"done in about {max(1, round(estimate.eta_seconds.p50))} s")
    if estimate.jobs_before:
        parts.append(f"{estimate.jobs_before} jobs before it")
    return words.note("; ".join(parts).capitalize() + ".") if parts else ""
