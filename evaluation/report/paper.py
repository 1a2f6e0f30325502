"""The paper's own numbers (arXiv 2411.07232, tables 1 to 3), on data that were never published.

Beside ours they say which order to expect, not which values.
"""

from __future__ import annotations

from collections.abc import Mapping

Numbers = Mapping[str, float]

AFFORDANCE: Mapping[str, Numbers] = {
    "instruct-pix2pix": {"affordance": 0.276},
    "erasedraw": {"affordance": 0.341},
    "magicbrush": {"affordance": 0.418},
    "sdedit": {"affordance": 0.397},
    "prompt-to-prompt": {"affordance": 0.474},
    "addit": {"affordance": 0.828},
}


def _row(clip_dir: float, clip_out: float, clip_im: float, inclusion: float) -> Numbers:
    return {"clip_dir": clip_dir, "clip_out": clip_out, "clip_im": clip_im, "inclusion": inclusion}


EMU_EDIT: Mapping[str, Numbers] = {
    "instruct-pix2pix": _row(0.074, 0.312, 0.929, 0.34),
    "erasedraw": _row(0.088, 0.313, 0.941, 0.65),
    "magicbrush": _row(0.091, 0.313, 0.927, 0.66),
    "addit": _row(0.101, 0.322, 0.929, 0.81),
}
ADDITING: Mapping[str, Numbers] = {
    "instruct-pix2pix": _row(0.074, 0.244, 0.943, 0.55),
    "erasedraw": _row(0.117, 0.248, 0.958, 0.76),
    "magicbrush": _row(0.114, 0.250, 0.925, 0.86),
    "sdedit": _row(0.091, 0.248, 0.955, 0.60),
    "prompt-to-prompt": _row(0.170, 0.280, 0.850, 0.97),
    "addit": _row(0.200, 0.261, 0.968, 0.93),
}
BY_SUITE: Mapping[str, Mapping[str, Numbers]] = {
    "affordance": AFFORDANCE,
    "toyland-affordance": AFFORDANCE,
    "additing": ADDITING,
    "toyland-additing": ADDITING,
    "emu-edit-add": EMU_EDIT,
}
"""The benchmark that a suite is, or is the twin of."""
STAND_INS: Mapping[str, str] = {"toyland-rival": "instruct-pix2pix"}
"""Whose architecture a method of another name has."""


def paper_number(suite: str, method: str, metric: str) -> float | None:
    """What the paper says, None where it says nothing. A method's settings after a tuning do not matter."""
    name = method.removesuffix("-tuned")
    return BY_SUITE.get(suite, {}).get(STAND_INS.get(name, name), {}).get(metric)
