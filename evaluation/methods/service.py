"""Any running service, through its client: what a user of it would get, closer looks and all."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from api_schemas.insertions import ImageRef, ImageSource, InsertionRequest, Output
from client.client import Addit
from client.errors import ClientError
from evaluation.errors import EvaluationError
from evaluation.methods.method import Edited, Workbench
from evaluation.suites.items import Item
from workers.addit.localizers import Picture

PATIENCE = 3600
"""Seconds from submission to result: others may use the service too."""


@dataclass(frozen=True)
class RunningService:
    """model, preset: its own by default. The tenant's key is the workbench's: it is no setting to record."""

    url: str
    model: str | None = None
    preset: str | None = None

    def prepare(self, bench: Workbench) -> None:
        """See `Method`."""
        try:
            with Addit(self.url, bench.service_key) as addit:
                addit.models()
        except ClientError as error:
            raise EvaluationError(f"the service does not answer: {error}") from error

    def seeded(self, item: Item) -> bool:
        """See `Method`."""
        return True

    def edit(self, bench: Workbench, item: Item, source: Picture, seed: int) -> Edited:
        """See `Method`. Raises `ClientError`."""
        sent = BytesIO()
        Image.fromarray(source).save(sent, "PNG")
        with Addit(self.url, bench.service_key) as addit:
            image = addit.upload(sent.getvalue())
            job = addit.insert(self._request(item, image.id, seed))
            assert job.result is not None
            (result,) = job.result.images
            picture = _opened(addit.download(result.url), "RGB")
            mask = _opened(addit.download(result.mask_url), "L") > 127 if result.mask_url else None
        return Edited(picture, mask, job.result.cost.forwards)

    def _request(self, item: Item, image: str, seed: int) -> InsertionRequest:
        return InsertionRequest(
            source=ImageSource(image=ImageRef(id=image), prompt=item.source_prompt),
            prompt=item.prompt,
            subject=item.subject,
            preset=self.preset,
            model=self.model,
            seeds=[seed],
            output=Output(include=["mask"]),
            priority="bulk",
            deadline_seconds=PATIENCE,
        )


def _opened(picture: bytes, mode: str) -> Picture:
    return np.asarray(Image.open(BytesIO(picture)).convert(mode))
