"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

SERVICE = "addit-service"


def service_version() -> str:
    """As installed; "0" when run from a checkout that is not."""
    try:
        return version(SERVICE)
    except PackageNotFoundError:
        return "0"
