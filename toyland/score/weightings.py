"""Ways to weigh source and target along the steps. "falling" and "rising" have the preset's gamma as mean."""

from collections.abc import Callable, Mapping

from workers.addit.config import AdditConfig
from workers.addit.weights import Schedule, WeightFrom


def weightings(base: AdditConfig) -> Mapping[str, Mapping[str, object]]:
    """Fields of an `AdditConfig` by name; the base's gamma is a number."""
    gamma, first, last = base.extended_scale, base.structure_transfer_step, base.last_extended_step
    assert isinstance(gamma, float), "a preset's gamma is a number"

    def along(pull: Callable[[float], float]) -> Mapping[str, object]:
        return {"extended_scale": moving(gamma, first, last, pull)}

    return {
        "constant": {},
        "double blocks": {"extended_scale": (WeightFrom(0, gamma, 1.0),)},
        "single blocks": {"extended_scale": (WeightFrom(0, 1.0, gamma),)},
        "falling": along(lambda way: 2 - 2 * way),
        "rising": along(lambda way: 2 * way),
        "late boost": along(lambda way: 1.0 if way < 0.5 else 2.0),
        "source 0.95": {"source_scale": 0.95},
        "source 0.9": {"source_scale": 0.9},
        "source alone": {"source_scale": round(1 / gamma, 4), "extended_scale": 1.0},
    }


def moving(gamma: float, first: int, last: int, pull: Callable[[float], float]) -> Schedule:
    """1 and gamma's excess times `pull`, which is told how far (0..1) a step is from `first` to `last`."""
    steps = range(first, last + 1)
    weights = [1 + (gamma - 1) * pull((step - first) / (last - first)) for step in steps]
    begins = (0, *steps[1:])
    return tuple(WeightFrom(step, weight, weight) for step, weight in zip(begins, weights, strict=True))
