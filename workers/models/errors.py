"""What can be wrong with a model before it serves. All are for the operator: the worker does not start.

ModelError
├── UnknownProfile     no profile, hub name or directory of that name
├── ModelFilesBroken   missing, truncated or of another model
├── MissingPackage     a setting needs a package that is not installed
├── LicenceNotAccepted the operator has not accepted the licence of the weights
├── PullFailed         files that could not be fetched
├── UnsupportedSetting a setting this model cannot follow
└── WrongFingerprint   the loaded model does not give the picture it should
"""

from __future__ import annotations

from collections.abc import Sequence


class ModelError(Exception):
    """A model that cannot be served."""


class UnknownProfile(ModelError):
    """Names what there is."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"no model {name!r}: not a directory with a known model_index.json nor one of {', '.join(known)}"
        )


class ModelFilesBroken(ModelError):
    """A checkpoint that does not open."""


class MissingPackage(ModelError):
    """Names the package."""

    def __init__(self, setting: str, package: str) -> None:
        super().__init__(f"{setting} needs the package {package}")


class LicenceNotAccepted(ModelError):
    """Says which licence, where it stands, and how it is accepted."""

    def __init__(self, model: str, licence: str, key: str, url: str) -> None:
        super().__init__(
            f"{model} comes under the {licence} ({url}), which restricts its use. Who has read and accepts it"
            f" sets ADDIT_ACCEPT_LICENCES='[\"{key}\"]'."
        )
        self.key = key


class PullFailed(ModelError):
    """Says what went wrong, and `next_step`: what to do about it."""

    def __init__(self, wrong: str, next_step: str) -> None:
        super().__init__(f"{wrong}. {next_step}")
        self.next_step = next_step


class UnsupportedSetting(ModelError):
    """Names the setting and the reason."""


class WrongFingerprint(ModelError):
    """Weights, libraries or hardware compute something else than was recorded for them."""
