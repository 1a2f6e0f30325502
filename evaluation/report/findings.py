"""What the paper claims, and whether it comes out: its order of methods and its two curves, in sentences.

Differences are of the same items, so an interval that leaves out 0 tells two methods apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from evaluation.metrics.intervals import centre, estimate
from evaluation.report.figures import KEPT, values_of
from evaluation.report.grids import OURS
from evaluation.report.paper import AFFORDANCE, STAND_INS
from evaluation.report.plots import point_of
from evaluation.report.tables import Methods
from toyland.score.ledger import Record
from toyland.score.statistics import Estimate

FEWEST = 2
"""Items that two methods must have in common."""
OPEN = "open: the interval holds 0"


def findings(methods: Methods) -> list[str]:
    """Sentences, as many as there is something to say about."""
    found = (order(methods), kept_order(methods), gamma_curve(methods), structure_curve(methods))
    return [said for said in found if said is not None]


def order(methods: Methods) -> str | None:
    """Whether affordance orders the methods as in the paper; rivals as tuned where they were."""
    ours = {name: records for name, records in compared(methods).items() if values_of(records, "affordance")}
    ranked = sorted(AFFORDANCE, key=lambda name: -AFFORDANCE[name]["affordance"])
    present = [(paper, name) for paper in ranked for name in ours if stands_for(name) == paper]
    if len(present) < 2:
        return None
    names = [name for _, name in present]
    means = {name: estimate(values_of(ours[name], "affordance")) for name in names}
    came = sorted(names, key=lambda name: -means[name].value)
    told = ", ".join(f"{name} {_percent(means[name])}" for name in came)
    steps = [_step(one, other, ours) for one, other in pairwise(names)]
    verdict = "comes out" if came == names else "does not come out"
    return (
        f"The paper's order of methods by affordance ({', '.join(names)}) {verdict}: {told}. "
        f"Neighbours in the paper's order, on the items of both: {'; '.join(steps)}."
    )


def kept_order(methods: Methods) -> str | None:
    """Who puts the subject at a plausible place and leaves the rest as it was, beside every tuned rival."""
    ours = methods.get((OURS,))
    rivals = [name for (name,) in methods if name.endswith("-tuned") and name != f"{OURS}-tuned"]
    if ours is None or not rivals or not values_of(ours, "kept"):
        return None
    names = sorted((OURS, *rivals), key=lambda name: -centre(values_of(methods[name,], "kept")))
    told = ", ".join(f"{name} {_percent(estimate(values_of(methods[name,], 'kept')))}" for name in names)
    gaps = {name: difference(ours, methods[name,], "kept") for name in names if name != OURS}
    beside = "; ".join(f"{OURS} - {name} {_told(gap)}" for name, gap in gaps.items())
    return (
        f"Where the picture must also stay the same (background of {KEPT:g} dB or better, else 0): {told}. "
        f"On the items of both: {beside}."
    )


def compared(methods: Methods) -> Mapping[str, Sequence[Record]]:
    """Add-it as served and the paper's rivals, each as tuned where it was."""
    names = [name for (name,) in methods if stands_for(name) in AFFORDANCE and name != f"{OURS}-tuned"]
    chosen = [name for name in names if f"{name}-tuned" not in names]
    return {name: methods[name,] for name in chosen}


def stands_for(name: str) -> str:
    """The paper's method whose place one of ours takes."""
    plain = name.removesuffix("-tuned")
    return STAND_INS.get(plain, plain)


def _step(one: str, other: str, methods: Mapping[str, Sequence[Record]]) -> str:
    gap = difference(methods[one], methods[other], "affordance")
    if gap is None:
        return f"{one} and {other} have no items in common"
    sure = "as in the paper" if gap.low > 0 else "the other way round" if gap.high < 0 else OPEN
    return f"{one} - {other} {_points(gap)} ({sure})"


def gamma_curve(methods: Methods) -> str | None:
    """The paper: inclusion rises with gamma, affordance peaks near 1.05 to 1.07."""
    points = curve("gamma", methods)
    if len(points) < 2:
        return None
    lowest, highest = min(points), max(points)
    rise = difference(points[highest], points[lowest], "inclusion")
    return (
        f"Gamma (paper: inclusion rises with it, affordance peaks near 1.05 to 1.07): from {lowest:g} to "
        f"{highest:g} inclusion changes by {_told(rise)}; affordance is best at "
        f"{_best(points, 'affordance')}."
    )


def structure_curve(methods: Methods) -> str | None:
    """The paper: too early gives low affordance, too late neglects the subject."""
    points = curve("structure", methods)
    if len(points) < 2:
        return None
    first, last = min(points), max(points)
    best = _peak(points, "affordance")
    early = difference(points[first], points[best], "affordance")
    late = difference(points[last], points[best], "inclusion")
    return (
        f"Structure transfer (paper: too early, low affordance; too late, the subject is neglected): "
        f"affordance is best at step {_best(points, 'affordance')}; beside it, at step {first:g} affordance "
        f"differs by {_told(early)}, at step {last:g} inclusion by {_told(late)}."
    )


def curve(sweep: str, methods: Methods) -> dict[float, Sequence[Record]]:
    """Records by the sweep's points, in ascending order; those that judge no place are left out."""
    placed = (
        (point_of(sweep, name), own) for (name,), own in methods.items() if values_of(own, "affordance")
    )
    return dict(sorted((point, own) for point, own in placed if point is not None))


def difference(one: Sequence[Record], other: Sequence[Record], key: str) -> Estimate | None:
    """How much the first has of a figure more than the second, over items that both have."""
    ours, theirs = values_of(one, key), values_of(other, key)
    common = [item for item in ours if item in theirs]
    if len(common) < FEWEST:
        return None
    return estimate({item: [float(np.mean(ours[item]) - np.mean(theirs[item]))] for item in common})


def _peak(points: Mapping[float, Sequence[Record]], key: str) -> float:
    return max(points, key=lambda point: centre(values_of(points[point], key)))


def _best(points: Mapping[float, Sequence[Record]], key: str) -> str:
    peak = _peak(points, key)
    return f"{peak:g} ({_percent(estimate(values_of(points[peak], key)))})"


def _percent(found: Estimate) -> str:
    return f"{100 * found.value:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def _points(found: Estimate) -> str:
    return f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def _told(found: Estimate | None) -> str:
    if found is None:
        return "what nobody knows yet"
    return _points(found) + ("" if found.low > 0 or found.high < 0 else f" ({OPEN})")
