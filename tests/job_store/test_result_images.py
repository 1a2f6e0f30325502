"""Result pictures' ids tell whose they are."""

from __future__ import annotations

import pytest

from api_schemas.base import new_id
from job_store.result_images import result_image_id, variation_of


def test_an_id_leads_back_to_its_variation() -> None:
    job_id = new_id("ins")
    assert variation_of(result_image_id(job_id, 7)) == (job_id, 7)


@pytest.mark.parametrize(
    "other", [new_id("img"), "img_1", "", "img_" + "0" * 24 + "_", "img_" + "0" * 24 + "_٣"]
)
def test_other_ids_lead_nowhere(other: str) -> None:
    assert variation_of(other) is None
