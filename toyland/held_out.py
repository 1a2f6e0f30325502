"""Which objects never occur in which scenes while training, so that new combinations can be scored apart."""

from collections import Counter

import numpy as np

from toyland.belonging import possible_pairs

SHARE = 0.15  # of all pairs
_SEED = 3


def _choose() -> frozenset[tuple[str, str]]:
    """15 % of the pairs; every object keeps at least half of its scenes and every scene of its objects."""
    pairs = possible_pairs()
    of_object, of_scene = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    chosen: set[tuple[str, str]] = set()
    lost_objects, lost_scenes = Counter[str](), Counter[str]()
    for number in np.random.default_rng(_SEED).permutation(len(pairs)):
        name, scene = pairs[number]
        # A quarter, not half, of a scene's objects, so that held-out pairs are spread over all scenes.
        if 2 * (lost_objects[name] + 1) > of_object[name] or 4 * (lost_scenes[scene] + 1) > of_scene[scene]:
            continue
        chosen.add((name, scene))
        lost_objects[name] += 1
        lost_scenes[scene] += 1
        if len(chosen) >= SHARE * len(pairs):
            break
    return frozenset(chosen)


HELD_OUT_PAIRS = _choose()
