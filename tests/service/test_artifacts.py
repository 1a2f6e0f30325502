"""Signed links: who may read, and how much at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest

from job_store.links import sign
from runtime.settings import Settings
from service.routes.artifacts import parse_range
from tests.figures import Figure
from tests.service.pictures import encoded, gradient


@pytest.fixture
def link(client: httpx.Client) -> str:
    data = encoded(gradient((64, 64)))
    url: str = client.post("/v1/images", content=data, headers={"Content-Type": "image/png"}).json()["url"]
    return url


def test_a_link_needs_no_key(link: str) -> None:
    answer = httpx.get(link)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content.startswith(b"\x89PNG")


@pytest.mark.fault(52)
def test_any_change_of_a_link_is_forbidden(link: str, figure: Figure) -> None:
    url = httpx.URL(link)
    signature, expires = url.params["signature"], url.params["expires"]
    flipped = ("0" if signature[-1] != "0" else "1").join((signature[:-1], ""))
    changed = [
        url.copy_set_param("expires", str(int(expires) + 1)),
        url.copy_set_param("expires", "0"),
        url.copy_set_param("signature", flipped),
        url.copy_set_param("signature", signature.upper() + "é"),
        url.copy_with(path=url.path.replace("acme", "globex")),
        url.copy_with(path=url.path + "x"),
    ]
    answers = [httpx.get(other) for other in changed]
    assert {answer.json()["code"] for answer in answers} == {"forbidden"}
    figure(52, "changes believed", sum(answer.status_code != 403 for answer in answers))


@pytest.mark.fault(52)
def test_an_old_link_is_forbidden(address: str, settings: Settings, link: str) -> None:
    key = httpx.URL(link).path.removeprefix("/v1/artifacts/")
    secret = settings.signing_secret.get_secret_value()
    assert httpx.get(address + sign(key, secret, time.time() - 100, 99)).status_code == 403


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "key", ["../secret", "t/acme/../../x", "t//x", "/etc/passwd", "t/acme/i/none.png", "t/\0.png"]
)
def test_even_a_signed_key_stays_inside(address: str, settings: Settings, key: str, figure: Figure) -> None:
    path = sign(key, settings.signing_secret.get_secret_value(), time.time(), 60)
    quoted = path.replace("..", "%2e%2e").replace("\0", "%00")
    figure(51, "ways out", int(httpx.get(address + quoted).status_code not in (403, 404)))


@pytest.mark.fault(52)
def test_no_bit_of_any_field_can_be_changed(link: str) -> None:
    """A share of all single-bit changes of path, expiry and signature, over HTTP."""
    url = httpx.URL(link)
    key, query = url.path.removeprefix("/v1/artifacts/"), dict(url.params)
    with httpx.Client() as client:
        for field, text in (("key", key), *query.items()):
            for index in range(0, len(text), 3):
                flipped = text[:index] + chr(ord(text[index]) ^ 1) + text[index + 1 :]
                fields = {"key": key, **query, field: flipped}
                path = url.path.replace(key, quote(fields.pop("key"), safe="/"))
                answer = client.get(url.copy_with(path=path, params=fields))
                assert answer.status_code in (403, 404, 422), (field, index)
                assert not answer.content.startswith(b"\x89PNG")


@pytest.mark.fault(52)
def test_a_link_is_no_other_tenants(
    client_of: Callable[[str], httpx.Client], address: str, settings: Settings, link: str
) -> None:
    data = encoded(gradient((32, 32)))
    headers = {"Content-Type": "image/png"}
    other = httpx.URL(client_of("globex").post("/v1/images", content=data, headers=headers).json()["url"])
    mixed = httpx.URL(link).copy_with(path=other.path)
    assert httpx.get(mixed).status_code == 403
    assert httpx.get(other).status_code == 200


@pytest.mark.fault(53)
def test_ten_thousand_ranges_cost_nothing(link: str) -> None:
    """They do not fit a request's head; what is within it is passed over, by one look."""
    many = "bytes=" + ",".join(f"{n}-{n}" for n in range(10_000))
    began = time.process_time()
    assert parse_range(many, 10_000) is None
    seconds = time.process_time() - began
    print(f"10,000 ranges judged in {seconds * 1000:.2f} ms")  # noqa: T201
    whole = httpx.get(link).content
    answer = httpx.get(link, headers={"Range": many})
    assert (answer.status_code, len(answer.content)) in ((200, len(whole)), (400, len(answer.content)))


@pytest.mark.fault(53)
def test_ranges(link: str, figure: Figure) -> None:
    whole = httpx.get(link).content
    part = httpx.get(link, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
    assert httpx.get(link, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    many = httpx.get(link, headers={"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(5000))})
    assert many.status_code == 200
    figure(53, "answered beyond the file", len(many.content) - len(whole))


@pytest.mark.fault(53)
def test_ten_thousand_ranges_are_quickly_read(figure: Figure) -> None:
    began = time.process_time()  # of this process alone: the machine may be busy
    assert parse_range("bytes=" + ",".join(f"{n}-{n}" for n in range(10_000)), 20_000) is None
    figure(53, "10,000 ranges read", 1000 * (time.process_time() - began))


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None), ("bytes=0-", (0, 99)), ("bytes=5-9", (5, 9)), ("bytes=90-500", (90, 99)),
        ("bytes=-10", (90, 99)), ("bytes=-500", (0, 99)), ("bytes=-0", (100, 99)), ("bytes=100-", (100, 99)),
        ("bytes=9-5", None), ("bytes=-", None), ("bytes=0-1,3-4", None), ("rows=0-1", None),
    ],
)  # fmt: skip
def test_parse_range(value: str | None, expected: tuple[int, int] | None) -> None:
    assert parse_range(value, 100) == expected
