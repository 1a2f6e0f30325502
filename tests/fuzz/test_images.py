"""A share of `make fuzz`: no mutated picture is answered with 5xx, and memory stays flat."""

from __future__ import annotations

import random
from pathlib import Path

import httpx
import pytest
from redis import Redis

from job_store.api_keys import ApiKeys
from runtime.valkey import EmbeddedValkey
from tests.figures import Figure
from tests.fuzz.images import MEGABYTE, fuzz, gateway
from tests.fuzz.mutations import MUTATIONS, Mutation, seeds
from tests.service.conftest import make_settings

COUNT, SEED = 250, 41


@pytest.mark.fault(41)
def test_mutated_pictures_are_taken_or_refused_in_flat_memory(
    valkey: EmbeddedValkey, redis: Redis, tmp_path: Path, figure: Figure
) -> None:
    settings = make_settings(valkey, tmp_path / "artifacts")
    headers = {"Authorization": f"Bearer {ApiKeys(redis).create('fuzz', 'test')}"}
    url = f"http://127.0.0.1:{settings.port}"
    with gateway(settings, tmp_path / "gateway.log") as process:
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            tally = fuzz(client, process, COUNT, SEED)
    figure(41, "pictures sent to a gateway", tally.tried)
    figure(41, "5xx", len(tally.worst))
    figure(41, "memory of a decoder", tally.decoder_peak / MEGABYTE)
    assert tally.tried == COUNT == tally.of_hundred(2) + tally.of_hundred(4)
    assert tally.of_hundred(2) > 0
    assert len(tally.answers) >= 4, tally.answers
    assert tally.decoder_peak > 0


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mutation_takes_anything_and_changes_something(mutation: Mutation) -> None:
    for name, data in {**seeds(), "nothing": b"", "a byte": b"\x89"}.items():
        made = [mutation(data, random.Random(seed)) for seed in range(4)]
        assert made == [mutation(data, random.Random(seed)) for seed in range(4)]
        assert not data or any(one != data for one in made), name
