from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.workers.addit.backbones.families import FAMILIES
from workers.addit.memory_tiers import DeviceTier, DiskTier, HostTier, Tier
from workers.addit.source_memory import MOST_NAMES, MOST_SOURCES, SourceKey, SourceMemories, StepMemory

KEY = SourceKey("tenant", "model", "digest", "a bed", 0, "noising", 1.0, 30, (16, 16))


def step(value: float = 0.0) -> StepMemory:
    pair = torch.full((1, 5, 2, 4), value), torch.full((1, 5, 2, 4), -value)
    return StepMemory({"transformer_blocks.0": pair}, velocity=torch.full((1, 5, 3), value))


SIZE = step().nbytes


def memories(*tiers: Tier) -> SourceMemories:
    return SourceMemories(tiers, torch.device("cpu"))


def test_bytes_are_counted_exactly_and_a_step_survives_its_names() -> None:
    assert SIZE == 5 * (2 * 8 + 3) * 4
    again = StepMemory.of(step(2.0).tensors())
    assert again.serves(frozenset({"transformer_blocks.0"}), velocity=True)
    assert not again.serves(frozenset({"transformer_blocks.1"}), velocity=False)
    torch.testing.assert_close(again.tensors(), step(2.0).tensors())


def test_what_does_not_fit_is_not_kept_and_replacing_makes_room() -> None:
    source = memories(DeviceTier(SIZE)).open(KEY)
    assert source.keep(3, step(1.0))
    assert not source.keep(4, step())
    assert source.keep(3, step(2.0))
    assert source.get(4) is None
    assert float(source.get(3).velocity[0, 0, 0]) == 2.0  # type: ignore[union-attr,index]
    assert source.nbytes == SIZE


def test_room_is_asked_for_before_anything_is_copied() -> None:
    store = memories(DeviceTier(2 * SIZE))
    old, new = store.open(replace(KEY, seed=1)), store.open(replace(KEY, seed=2))
    old.keep(0, step())
    new.keep(0, step())
    assert new.can_hold(SIZE)  # the other source would make room
    assert not new.can_hold(SIZE + 1)  # its own steps would not


@pytest.mark.parametrize(
    "field", ["owner", "model", "picture", "prompt", "seed", "path", "guidance", "steps", "size"]
)
def test_every_part_of_the_key_tells_sources_apart(field: str) -> None:
    store = memories(DeviceTier(10 * SIZE))
    store.open(KEY).keep(0, step())
    other = replace(KEY, **{field: (8, 8) if field == "size" else 7})  # type: ignore[arg-type]
    assert store.open(other).get(0) is None
    assert store.open(KEY).get(0) is not None


def test_the_least_recently_used_source_goes_down_the_tiers_and_out(tmp_path: Path) -> None:
    device, host, disk = DeviceTier(SIZE), HostTier(SIZE), DiskTier(SIZE, tmp_path / "memory")
    store = memories(device, host, disk)
    keys = [replace(KEY, seed=seed) for seed in range(4)]
    for seed, key in enumerate(keys):
        assert store.open(key).keep(0, step(float(seed)))
    assert store.nbytes == 3 * SIZE
    assert store.open(keys[0]).get(0) is None
    for seed in (1, 2, 3):
        known = store.open(keys[seed]).get(0)
        assert known is not None
        torch.testing.assert_close(known.tensors(), step(float(seed)).tensors())


def test_using_a_source_keeps_it() -> None:
    store = memories(DeviceTier(2 * SIZE))
    keys = [replace(KEY, seed=seed) for seed in range(3)]
    store.open(keys[0]).keep(0, step())
    store.open(keys[1]).keep(0, step())
    store.open(keys[0])
    store.open(keys[2]).keep(0, step())
    assert [store.open(key).get(0) is not None for key in keys] == [True, False, True]


def test_a_source_larger_than_a_tier_fills_it_and_goes_on_in_the_next() -> None:
    device, host = DeviceTier(2 * SIZE), HostTier(2 * SIZE)
    source = memories(device, host).open(KEY)
    assert [source.keep(at, step()) for at in range(5)] == [True, True, True, True, False]
    assert (device.used, host.used) == (2 * SIZE, 2 * SIZE)


def test_a_source_is_forgotten_by_any_name_it_was_opened_by(tmp_path: Path) -> None:
    disk = DiskTier(10 * SIZE, tmp_path / "memory")
    store = memories(DeviceTier(SIZE), HostTier(SIZE), disk)
    bed, sea, room = (replace(KEY, prompt=prompt) for prompt in ("a bed", "a sea", "a room"))
    for key, names in ((bed, "ab"), (sea, "bc"), (room, "d")):
        for name in names:
            store.open(key, name).keep(0, step())
    assert (store.forget_named({"x"}), store.count) == (0, 3)
    assert (store.forget_named({"a", "x"}), bed in store, store.count) == (1, False, 2)
    assert (store.forget_named({"b"}), sea in store, store.count) == (1, False, 1)
    assert store.nbytes == SIZE
    store.open(room, "e").keep(1, step())
    assert (store.forget_named(None), store.nbytes, store.count) == (1, 0, 0)
    assert list((tmp_path / "memory").iterdir()) == []


def test_what_an_edit_has_read_outlives_the_forgetting(tmp_path: Path) -> None:
    store = memories(DiskTier(10 * SIZE, tmp_path / "memory"))
    source = store.open(KEY, "a")
    source.keep(0, step(2.0))
    read = source.get(0)
    store.forget_named({"a"})
    assert read is not None
    torch.testing.assert_close(read.tensors(), step(2.0).tensors())
    assert source.get(0) is None


def test_the_names_of_a_source_are_bounded() -> None:
    store = memories(DeviceTier(10 * SIZE))
    for name in range(MOST_NAMES):
        store.open(KEY, str(name)).keep(0, step())
    assert store.open(KEY, "0").nbytes == SIZE
    assert store.open(KEY, "one more").names == {"one more"}
    assert store.nbytes == 0


def test_hits_misses_and_evictions_are_counted() -> None:
    device, host = DeviceTier(SIZE), HostTier(SIZE)
    store = memories(device, host)
    keys = [replace(KEY, seed=seed) for seed in range(3)]
    for key in (*keys, keys[2]):
        source = store.open(key)
        source.path[0] = torch.zeros(1)
        source.keep(0, step())
    assert (store.hits, store.misses, store.count) == (1, 3, 3)
    assert (device.evictions, host.evictions) == (2, 1)


def test_a_forgotten_source_takes_its_texts_and_its_picture_along() -> None:
    store, backbone = memories(), FAMILIES["schnell"]()
    for owner in ("a", "b"):
        store.open(replace(KEY, owner=owner)).shown = np.zeros((2, 2, 3), np.uint8)
        store.texts.encode(backbone, replace(KEY, owner=owner), ["a photo of a dog"], [1.0])
    store.forget(replace(KEY, owner="a"))
    assert len(store.texts) == 1
    assert store.open(replace(KEY, owner="a")).shown is None
    assert store.open(replace(KEY, owner="b")).shown is not None


def test_paths_are_bounded_in_number() -> None:
    store = memories()
    for seed in range(MOST_SOURCES + 3):
        store.open(replace(KEY, seed=seed)).path[0] = torch.zeros(1)
    assert replace(KEY, seed=2) not in store
    assert replace(KEY, seed=3) in store
