"""Jobs and scenes made by hand, and a request the scripted model takes for a command."""

from __future__ import annotations

from typing import Any

from api_schemas.insertions import GeneratedSource, InsertionRequest
from api_schemas.jobs import InsertionJob
from api_schemas.scenes import Scene

AT = "2026-01-01T00:00:00Z"


def request(prompt: str) -> InsertionRequest:
    source = GeneratedSource(prompt="a place")
    return InsertionRequest(source=source, prompt=prompt, subject=prompt.split()[-1], seeds=[1])


def image(seed: int = 1, found: bool = True, **fields: Any) -> dict[str, Any]:
    known = {"seed": seed, "url": f"/{seed}", "width": 4, "height": 4, "subject_found": found}
    return known | {"extended_scale": 1.05} | fields


def job(*images: dict[str, Any], status: str = "succeeded", **fields: Any) -> InsertionJob:
    cost = {"forwards": 26, "gpu_seconds": 1.25, "source_memory": "hit"}
    result = {"images": list(images), "timings": {}, "cost": cost, **fields.pop("result", {})}
    body = {
        "id": "ins_1", "status": status, "created_at": AT, "model": "m",
        "request": request("a place with a dog").model_dump(mode="json"),
        "urls": {"self": "/s", "events": "/e", "cancel": "/c"},
        "result": result if status == "succeeded" else None,
    }  # fmt: skip
    return InsertionJob.model_validate(body | fields)


def step(name: str, parent: str, subject: str, *seeds: int, parent_seed: int | None = None) -> dict[str, Any]:
    images = [
        {"id": f"img_{name}_{seed}", "seed": seed, "url": f"/{name}/{seed}", "cutout_url": None,
         "mask_url": None, "subject_found": True, "rank": rank}
        for rank, seed in enumerate(seeds, 1)
    ]  # fmt: skip
    return {
        "id": name, "parent": parent, "parent_seed": parent_seed, "status": "succeeded",
        "subject": subject, "images": images,
    }  # fmt: skip


def scene(head: str, seed: int | None, *steps: dict[str, Any]) -> Scene:
    body = {
        "id": "scn_1", "created_at": AT, "updated_at": AT, "expires_at": AT,
        "source": {"kind": "image", "image": {"id": "img_0"}}, "image_id": "img_0", "url": "/first",
        "head": {"step": head, "seed": seed, "image_id": None, "url": None},
        "history": [], "steps": list(steps), "metadata": {},
    }  # fmt: skip
    return Scene.model_validate(body)
