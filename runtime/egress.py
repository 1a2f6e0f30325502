"""The one place that talks to addresses a tenant names, pictures and callbacks, and to the moderator.

A name is resolved once, every address it has is judged, and the connection goes to the judged address itself,
so a name that changes its mind afterwards (DNS rebinding) gains nothing. No redirects, no proxies, no
environment, no compression; sizes are capped while streaming and one deadline covers resolving, TLS, a header
that drips and the body.

    EgressError
      ├─ EgressRefused      the URL or where it leads is not allowed; nothing was sent
      └─ EgressFailed       allowed, but it did not work out: no connection, too slow, too large, not a 200
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore
import httpx
from AntiSSRF import IPAddressRanges

Address = IPv4Address | IPv6Address

# The guard's list, and ours: a later version of the guard may only add to it.
_OURS = (
    "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/4",
    "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "3fff::/20",
    "5f00::/16", "fec0::/10",
)  # fmt: skip
DENIED = tuple(ip_network(block) for block in {*IPAddressRanges.recommended_latest, *_OURS})


class EgressError(Exception):
    """A request to a foreign address gave nothing."""


class EgressRefused(EgressError):
    """The URL, or the address it leads to, is not allowed."""


class EgressFailed(EgressError):
    """An allowed request did not work out."""


EXCERPT_BYTES, EXCERPT_SECONDS = 256, 1.0


@dataclass(frozen=True)
class EgressResponse:
    """An answer and the first `EXCERPT_BYTES` of its body. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    excerpt: bytes = b""


def fetch(url: str, *, max_bytes: int, seconds: float, allow_loopback: bool) -> bytes:
    """GET the body of a 200, at most `max_bytes` of it within `seconds`. Raises EgressError."""
    rules = _Rules(schemes=("http", "https"), allow_loopback=allow_loopback)
    with _exchange("GET", url, rules, _Deadline(seconds)) as response:
        if response.status != 200:
            raise EgressFailed(f"answered {response.status}, not 200")
        return _capped(response.iter_stream(), max_bytes)


def post(
    url: str, body: bytes, headers: Mapping[str, str], seconds: float, allow_loopback: bool
) -> EgressResponse:
    """POST over https; any status is an answer, whatever follows it. Raises EgressError."""
    deadline = _Deadline(seconds)
    with _exchange("POST", url, _callback_rules(allow_loopback), deadline, body, headers) as response:
        answered = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
        }
        deadline.shorten(EXCERPT_SECONDS)
        return EgressResponse(response.status, answered, _excerpt(response.iter_stream()))


def ask(
    url: str, body: bytes, headers: Mapping[str, str], *, max_bytes: int, seconds: float, internal: bool
) -> bytes:
    """POST to an address that the operator names; the body of its 200, at most `max_bytes` of it.

    internal: it may be of any network, on any port, by http. Raises EgressError.
    """
    rules = _INTERNAL if internal else _callback_rules(allow_loopback=False)
    with _exchange("POST", url, rules, _Deadline(seconds), body, headers) as response:
        if response.status != 200:
            raise EgressFailed(f"answered {response.status}, not 200")
        return _capped(response.iter_stream(), max_bytes)


def judge_callback(url: str, seconds: float, allow_loopback: bool) -> None:
    """Whether `post` would send anything to this URL as its name resolves now. Raises EgressError."""
    target, rules = _parsed(url), _callback_rules(allow_loopback)
    port = target.port or {"http": 80, "https": 443}[target.scheme]
    rules.judge(target.scheme, port, _resolve(target.raw_host.decode("ascii"), port, _Deadline(seconds)))


def _excerpt(chunks: Iterable[bytes]) -> bytes:
    """What comes of a body before it ends, breaks off or takes too long."""
    found = b""
    with suppress(EgressFailed, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        for chunk in chunks:
            found += chunk
            if len(found) >= EXCERPT_BYTES:
                break
    return found[:EXCERPT_BYTES]


@dataclass(frozen=True)
class _Rules:
    """What is allowed. Loopback, where allowed at all, may be http and on any port; all if `anywhere`."""

    schemes: tuple[str, ...]
    allow_loopback: bool
    anywhere: bool = False

    def judge(self, scheme: str, port: int, addresses: list[Address]) -> Address:
        """The address to connect to. Raises EgressRefused if any of a name's addresses is not allowed."""
        if self.anywhere:
            return addresses[0]
        if self.allow_loopback and all(address.is_loopback for address in addresses):
            return addresses[0]
        if scheme not in self.schemes or port not in (80, 443):
            raise EgressRefused(f"{scheme} on port {port} is not allowed")
        if not all(_is_public(address) for address in addresses):
            raise EgressRefused("leads to an address that is not public")
        return addresses[0]


_INTERNAL = _Rules(schemes=("http", "https"), allow_loopback=True, anywhere=True)


def _callback_rules(allow_loopback: bool) -> _Rules:
    return _Rules(schemes=("https",), allow_loopback=allow_loopback)


def _is_public(address: Address) -> bool:
    return address.is_global and not any(address in network for network in DENIED)


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def shorten(self, seconds: float) -> None:
        """End at most so many seconds from now."""
        self._end = min(self._end, time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left. Raises EgressFailed when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise EgressFailed("took too long")
        return left


def _resolve(host: str, port: int, deadline: _Deadline) -> list[Address]:
    """Every address of a name. getaddrinfo knows no timeout, so it runs beside us and may be left behind."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="egress-resolve")
    try:
        found = pool.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        return [_unmapped(str(entry[4][0])) for entry in found.result(deadline.remaining())]
    except TimeoutError:
        raise EgressFailed("took too long to resolve") from None
    except (OSError, UnicodeError):
        raise EgressFailed("does not resolve") from None
    finally:
        pool.shutdown(wait=False)


def _unmapped(text: str) -> Address:
    """::ffff:10.0.0.1 is 10.0.0.1 and must be judged as such."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


class _PinnedBackend(httpcore.NetworkBackend):
    """Connects to the judged address of a name, never to the name."""

    def __init__(self, scheme: str, rules: _Rules, deadline: _Deadline) -> None:
        self._scheme, self._rules, self._deadline = scheme, rules, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        address = self._rules.judge(self._scheme, port, _resolve(host, port, self._deadline))
        stream = httpcore.SyncBackend().connect_tcp(str(address), port, timeout=self._deadline.remaining())
        return _DeadlineStream(stream, self._deadline)


class _DeadlineStream(httpcore.NetworkStream):
    """Each read and write may take what is left of the whole request's time: dripping gains nothing."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=self._deadline.remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._deadline.remaining())

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout=self._deadline.remaining())
        return _DeadlineStream(stream, self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@contextmanager
def _exchange(
    method: str,
    url: str,
    rules: _Rules,
    deadline: _Deadline,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[httpcore.Response]:
    """One request on one connection; the errors of the transport become ours here and nowhere else."""
    target = _parsed(url)
    backend = _PinnedBackend(target.scheme, rules, deadline)
    core_url = httpcore.URL(
        scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
    )
    sent = {**(headers or {}), "Host": target.netloc.decode("ascii"), "Accept-Encoding": "identity"}
    try:
        with httpcore.ConnectionPool(network_backend=backend) as pool:
            with pool.stream(method, core_url, headers=list(sent.items()), content=body) as response:
                yield response
    except httpcore.TimeoutException:
        raise EgressFailed("took too long") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise EgressFailed(f"did not answer: {type(error).__name__}") from None


def _parsed(url: str) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise EgressRefused(f"is not a URL: {error}") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise EgressRefused("is not an http or https URL")
    if target.userinfo:
        raise EgressRefused("carries a user name or password")
    return target


def _capped(chunks: Iterable[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise EgressFailed(f"is larger than {max_bytes} bytes")
    return bytes(body)
