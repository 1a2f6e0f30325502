"""Recording the picture that the shipped weights' canary must give from now on."""

import json
from pathlib import Path

from workers.models.canary import fingerprint
from workers.models.loading import LoadOptions, load
from workers.models.profiles import embedded_profile


def record_fingerprint(file: Path) -> None:
    """Write the canary's thumbnail, in float32: what every dtype has to come close to."""
    profile = embedded_profile()
    shown = fingerprint(profile, load(profile, LoadOptions(device="cpu", dtype="float32")))
    file.write_text(json.dumps([[round(float(grey), 1) for grey in row] for row in shown]))
