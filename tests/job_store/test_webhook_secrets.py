"""Secrets follow from the operator's and from nothing else, and are such as the specification wants."""

from __future__ import annotations

from base64 import b64decode

from standardwebhooks.webhooks import Webhook

from job_store.webhook_secrets import derived_secret, derived_secrets


def test_a_secret_is_one_of_the_specification() -> None:
    secret = derived_secret("master", "we_1", "")
    assert secret == derived_secret("master", "we_1", "")
    assert 24 <= len(b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    assert Webhook(secret)


def test_whatever_differs_makes_another_secret() -> None:
    of = {
        derived_secret(master, owner, secret_id)
        for master in ("master", "other")
        for owner in ("we_1", "we_2", "default/acme", "default/acm")
        for secret_id in ("", "1", "e1")
    }
    assert len(of) == 2 * 4 * 3


def test_the_newest_secret_of_the_first_master_comes_first() -> None:
    secrets = derived_secrets(["new", "old"], "we_1", ["b", "a"])
    assert secrets[0] == derived_secret("new", "we_1", "b")
    others = [("old", "b"), ("new", "a"), ("old", "a")]
    assert secrets[1:] == [derived_secret(master, "we_1", secret_id) for master, secret_id in others]
