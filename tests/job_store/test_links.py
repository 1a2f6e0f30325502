"""Signed links: only what was signed is given out, and only in time."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_store.links import sign, verify
from tests.figures import Figure

KEY, SECRET, NOW, SECONDS = "t/acme/j/ins_1/0f/0.png", "secret", 1_800_000_000.7, 60


def parts() -> tuple[str, int, str]:
    """Key, expiry and signature of a link, as a server reads them."""
    url = urlsplit(sign(KEY, SECRET, NOW, SECONDS))
    query = parse_qs(url.query)
    return url.path.removeprefix("/v1/artifacts/"), int(query["expires"][0]), query["signature"][0]


def test_a_link_works_until_it_expires() -> None:
    key, expires, signature = parts()
    assert key == KEY
    assert expires == int(NOW) + SECONDS
    assert verify(key, SECRET, NOW, expires, signature)
    assert verify(key, SECRET, expires, expires, signature)
    assert not verify(key, SECRET, expires + 1, expires, signature)


def flips(text: str) -> list[str]:
    """The text with one bit changed, in every way that leaves it text."""
    raw = text.encode()
    changed = (
        raw[:i] + bytes([raw[i] ^ 1 << bit]) + raw[i + 1 :] for i in range(len(raw)) for bit in range(8)
    )
    return [flipped.decode(errors="surrogateescape") for flipped in changed]


@pytest.mark.fault(52)
def test_no_bit_of_a_link_can_be_changed(figure: Figure) -> None:
    key, expires, signature = parts()
    believed = [
        *(verify(other, SECRET, NOW, expires, signature) for other in flips(key)),
        *(verify(key, SECRET, NOW, expires, other) for other in flips(signature)),
        *(verify(key, SECRET, NOW, expires ^ 1 << bit, signature) for bit in range(64)),
    ]
    figure(52, "bits changed", len(believed))
    figure(52, "changes believed", sum(believed))
    assert not verify(key, f"{SECRET}2", NOW, expires, signature)


@pytest.mark.fault(52)
@pytest.mark.parametrize("signature", ["", "0" * 64, "é", "\ud800"])
def test_made_up_signatures_fail(signature: str) -> None:
    key, expires, right = parts()
    assert not verify(key, SECRET, NOW, expires, signature)
    assert not verify(key, SECRET, NOW, expires, right.upper())
    assert not verify(key, SECRET, NOW, expires, f"{right} ")


@pytest.mark.fault(52)
def test_a_signature_is_no_other_tenants() -> None:
    key, expires, signature = parts()
    assert not verify(key.replace("acme", "other"), SECRET, NOW, expires, signature)


@given(st.text(), st.integers(), st.text())
def test_any_input_is_judged_not_raised(key: str, expires: int, signature: str) -> None:
    assert not verify(key, SECRET, NOW, expires, signature)
