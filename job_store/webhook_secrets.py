"""Secrets that sign webhooks, `whsec_…` (Standard Webhooks 1.0). Pure; knows no store and no clock.

They follow from the operator's own secret, their owner and a number in the store: nothing in the store tells
them, so neither does a backup of it.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Sequence


def derived_secret(master: str, owner: str, secret_id: str) -> str:
    """`whsec_` and 32 bytes. owner: an endpoint's key; secret_id: which of its secrets."""
    purpose = f"webhook secret\0{owner}\0{secret_id}"
    return f"whsec_{b64encode(hmac.digest(master.encode(), purpose.encode(), 'sha256')).decode()}"


def derived_secrets(masters: Sequence[str], owner: str, secret_ids: Sequence[str]) -> list[str]:
    """Every secret that signs: of the newest id first, and of the first master first."""
    return [derived_secret(master, owner, secret_id) for secret_id in secret_ids for master in masters]
