from __future__ import annotations

from api_schemas.jobs import InsertionJob
from client.report import summary
from tests.client.answers import job


def test_every_seed_has_its_line_also_those_that_were_not_finished() -> None:
    image = {"url": "/a", "width": 8, "height": 8, "extended_scale": None}
    result = {
        "images": [
            image | {"seed": 3, "subject_found": True, "box": [0, 0, 4, 4]},
            image | {"seed": 5, "subject_found": False, "reason": "it is nowhere"},
        ],
        "dropped": [{"seed": 4, "score": 0.2, "reason": "2 of the other seeds promised more"}],
        "warnings": [{"code": "resized", "message": "it is large"}],
        "timings": {},
        "cost": {"forwards": 1, "gpu_seconds": 1, "source_memory": "hit"},
    }
    ended = InsertionJob.model_validate(job("succeeded", result=result).json())
    assert summary(ended) == [
        "seed 3: subject found, in the box [0, 0, 4, 4]",
        "seed 5: subject not found, it is nowhere",
        "seed 4: dropped, 2 of the other seeds promised more",
        "warning resized: it is large",
    ]
