"""Foreign URLs: only public addresses, only what was judged, only so much and so long."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import pytest

from runtime.egress import (
    EXCERPT_BYTES,
    EgressFailed,
    EgressRefused,
    _Deadline,
    _PinnedBackend,
    _Rules,
    fetch,
    judge_callback,
    post,
)
from tests.figures import Figure

PRIVATE = [
    "http://127.0.0.1/", "http://localhost/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
    "http://127.1/", "http://0.0.0.0/", "http://0/", "http://10.0.0.1/", "http://172.16.0.1/",
    "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/",
    "http://192.0.0.170/", "http://192.88.99.1/", "http://198.18.0.1/", "http://224.0.0.1/",
    "http://240.0.0.1/", "http://255.255.255.255/", "http://168.63.129.16/", "http://[::1]/", "http://[::]/",
    "http://[::ffff:10.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::7f00:1]/", "http://[fe80::1]/",
    "http://[fe80::1%25lo]/", "http://[fd00::1]/", "http://[fec0::1]/", "http://[64:ff9b::a00:1]/",
    "http://[64:ff9b:1::1]/", "http://[2002:a00:1::]/", "http://[2001:0:a00:1::]/", "http://[3fff::1]/",
    "http://[5f00::1]/", "http://[ff02::1]/", "http://127。0。0。1/", "http://①②⑦.0.0.1/",
]  # fmt: skip


@pytest.mark.fault(37)
@pytest.mark.parametrize("url", PRIVATE)
def test_no_way_of_writing_a_private_address_is_let_through(url: str) -> None:
    with pytest.raises((EgressRefused, EgressFailed), match="not public|not a URL|not resolve"):
        fetch(url, max_bytes=10, seconds=60, allow_loopback=False)


DENIED = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/96",
    "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "3fff::/20",
    "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
]  # fmt: skip
"""What nothing may be asked of, told without the code's own lists."""


def spellings(address: IPv4Address | IPv6Address) -> list[str]:
    """Every way of writing an address into a URL."""
    number = int(address)
    if isinstance(address, IPv6Address):
        ways = {str(address), address.exploded, address.exploded.upper(), f"{address}%25lo", f"{address}%251"}
        return [f"[{way}]" for way in sorted(ways)]
    a, b, c, d = address.packed
    high, low = divmod(number, 2**16)
    plain = [
        str(address), f"{number}", f"{number:#x}", f"{number:#X}", f"0{number:o}", f"{a}.{number % 2**24}",
        f"{a}.{b}.{low}", f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a}.0{b:o}.{low:#x}", f"{address}.", f"{a}。{b}．{c}｡{d}", str(address).translate(CIRCLED),
        str(address).replace(".", "%2e"),
    ]  # fmt: skip
    within = ["::ffff:{}", "::{}", "64:ff9b::{}"]
    packed = [way.format(each) for way in within for each in (address, f"{high:x}:{low:x}")]
    return plain + [f"[{way}]" for way in (*packed, f"2002:{high:x}:{low:x}::")]


CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")


def is_let_through(url: str) -> bool:
    """Whether an address is judged fit to be asked, as a picture's or as a callback's."""
    for ask in (
        lambda: fetch(url, max_bytes=10, seconds=5, allow_loopback=False),
        lambda: judge_callback(url.replace("http:", "https:"), 5, allow_loopback=False),
    ):
        with suppress(EgressRefused, EgressFailed):
            ask()
            return True
    return False


@pytest.mark.fault(37)
def test_every_denied_range_is_denied_in_every_spelling(
    monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    connected = watched(monkeypatch)
    tried, through = 0, []
    for network in map(ip_network, DENIED):
        middle = network[network.num_addresses // 2]
        for spelling in {way for one in (network[0], middle, network[-1]) for way in spellings(one)}:
            tried += 1
            if is_let_through(f"http://{spelling}/"):
                through.append(spelling)
    figure(37, "spellings tried", tried)
    figure(37, "let through", len(through))
    figure(37, "connections", len(connected))


def watched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Where connections go from now on, as far as the first step: all are refused."""
    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    return connected


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/", "http or https"),
        ("file:///etc/passwd", "http or https"),
        ("http:///nothing", "http or https"),
        ("https://user:secret@example.com/", "user name"),
        ("http://93.184.215.14:8080/", "port 8080"),
        ("http://[::1/", "not a URL"),
    ],
)
def test_a_url_that_is_not_ours_to_fetch_is_refused_with_its_reason(url: str, why: str) -> None:
    with pytest.raises(EgressRefused, match=why):
        fetch(url, max_bytes=10, seconds=5, allow_loopback=False)


def test_a_callback_must_be_https() -> None:
    with pytest.raises(EgressRefused, match="http on port 80"):
        post("http://93.184.215.14/", b"{}", {}, 5, allow_loopback=False)


@pytest.mark.fault(37)
@pytest.mark.parametrize("url", [url.replace("http:", "https:") for url in PRIVATE])
def test_a_callback_is_judged_before_anything_is_sent(url: str) -> None:
    with pytest.raises((EgressRefused, EgressFailed), match="not public|not a URL|not resolve"):
        judge_callback(url, 5, allow_loopback=False)


def test_a_callback_that_may_be_reached_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver(["93.184.215.14", "10.0.0.1"]))
    judge_callback("https://rebind.example/hook", 5, allow_loopback=False)
    with pytest.raises(EgressRefused, match="not public"):
        judge_callback("https://rebind.example/hook", 5, allow_loopback=False)
    with pytest.raises(EgressRefused, match="http on port 80"):
        judge_callback("http://93.184.215.14/", 5, allow_loopback=False)
    judge_callback("http://127.0.0.1:1234/", 5, allow_loopback=True)


def resolver(left: list[str]) -> Callable[..., list[Any]]:
    """A name server that gives the answers left one after the other, whether asked with str or bytes."""

    def getaddrinfo(host: str | bytes, port: int, *_: object, **__: object) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        address = left.pop(0) if name == "rebind.example" else name
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (part, port)) for part in address.split()]

    return getaddrinfo


ASK: dict[str, Callable[[str], object]] = {
    "picture": lambda host: fetch(f"http://{host}/", max_bytes=10, seconds=5, allow_loopback=False),
    "callback": lambda host: post(f"https://{host}/", b"{}", {}, 5, allow_loopback=False),
}


@pytest.mark.fault(38)
@pytest.mark.parametrize("kind", ASK)
def test_the_judged_address_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch, figure: Figure, kind: str
) -> None:
    connected, answers = watched(monkeypatch), ["93.184.215.14", "127.0.0.1", "169.254.169.254"]
    monkeypatch.setattr(socket, "getaddrinfo", resolver(answers))
    with pytest.raises(EgressFailed, match="did not answer"):
        ASK[kind]("rebind.example")
    figure(38, "lookups a request", 3 - len(answers))
    figure(38, "connections to another address", sum(host != "93.184.215.14" for host, _ in connected))
    assert len(connected) == 1
    with pytest.raises(EgressRefused, match="not public"):
        ASK[kind]("rebind.example")
    assert len(connected) == 1


@pytest.mark.fault(38)
@pytest.mark.parametrize("host", ["rebind.example", b"rebind.example"])
def test_a_host_is_judged_as_text_and_as_bytes(monkeypatch: pytest.MonkeyPatch, host: Any) -> None:
    connected = watched(monkeypatch)
    monkeypatch.setattr(socket, "getaddrinfo", resolver(["10.0.0.7"]))
    rules = _Rules(schemes=("http",), allow_loopback=False)
    with pytest.raises(EgressRefused, match="not public"):
        _PinnedBackend("http", rules, _Deadline(5)).connect_tcp(host, 80)
    assert connected == []


@pytest.mark.fault(38)
def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver(["93.184.215.14 10.0.0.7"]))
    with pytest.raises(EgressRefused, match="not public"):
        fetch("http://rebind.example/", max_bytes=10, seconds=5, allow_loopback=False)


def test_a_name_that_does_not_resolve_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: never.wait(10) and [])
    try:
        with pytest.raises(EgressFailed, match="too long to resolve"):
            fetch("http://slow.example/", max_bytes=10, seconds=0.2, allow_loopback=False)
    finally:
        never.set()


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on this machine that reads one request's head and then does what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    serve(connection)
                except OSError:  # the client hung up, as it should
                    return

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/picture"
        listener.close()
        thread.join(10)
        assert not thread.is_alive()


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def drip(what: bytes) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        for position in range(len(what)):
            connection.sendall(what[position : position + 1])
            time.sleep(0.05)

    return serve


def say(answer: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(answer)


def test_a_picture_is_fetched_from_loopback_where_that_is_allowed() -> None:
    with server(say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour")) as url:
        assert fetch(url, max_bytes=4, seconds=5, allow_loopback=True) == b"four"


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    ("serve", "why"),
    [
        (endless, "larger than 1000"),
        (say(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nshort"), "did not answer"),
        (say(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n"), "answered 302"),
        (say(b"SSH-2.0-OpenSSH\r\n"), "did not answer"),
        (drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 500), "too long"),
        (drip(b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 500), "too long"),
    ],
)
def test_a_hostile_server_costs_little_time_and_few_bytes(
    serve: Callable[[socket.socket], None], why: str, figure: Figure
) -> None:
    started = time.monotonic()
    with server(serve) as url, pytest.raises(EgressFailed, match=why):
        fetch(url, max_bytes=1000, seconds=1, allow_loopback=True)
    figure(39, "time at a limit of 1 s", time.monotonic() - started)


@pytest.mark.fault(39)
def test_an_endless_answer_is_hung_up_on(figure: Figure) -> None:
    sent = 0

    def count(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent += connection.send(b"x" * 65536)

    with server(count) as url, pytest.raises(EgressFailed, match="larger than"):
        fetch(url, max_bytes=2**20, seconds=10, allow_loopback=True)
    figure(39, "sent of an endless answer, 1 MB allowed", sent / 2**20)


@pytest.mark.fault(39)
def test_a_compressed_body_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(10**8))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    with server(say(head.encode() + bomb)) as url:
        assert fetch(url, max_bytes=len(bomb), seconds=5, allow_loopback=True) == bomb


def test_a_callback_gets_body_and_headers_and_gives_status_and_headers() -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                while not b"".join(heard).endswith(b'{"a": 1}'):
                    heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 410 Gone\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=run)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook?a=b"
        answer = post(url, b'{"a": 1}', {"webhook-id": "msg_1"}, 5, allow_loopback=True)
        thread.join(5)
    assert (answer.status, answer.headers["retry-after"]) == (410, "7")
    head = b"".join(heard).split(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"post /hook?a=b http/1.1")
    for line in ("webhook-id: msg_1", "content-length: 8", "accept-encoding: identity", "host: 127.0.0.1:"):
        assert line.encode() in head


@pytest.mark.parametrize(
    ("serve", "excerpt"),
    [
        (say(b"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\noh no"), b"oh no"),
        (say(b"HTTP/1.1 500 No\r\nContent-Length: 99\r\n\r\nbroken"), b"broken"),
        (say(b"HTTP/1.1 500 No\r\n\r\n" + b"y" * 9999), b"y" * EXCERPT_BYTES),
    ],
)
def test_a_callbacks_answer_keeps_its_first_bytes_however_it_ends(
    serve: Callable[[socket.socket], None], excerpt: bytes
) -> None:
    with server(serve) as url:
        answer = post(url, b"{}", {}, 5, allow_loopback=True)
    assert (answer.status, answer.excerpt) == (500, excerpt)


@pytest.mark.fault(32)
def test_a_body_that_drips_does_not_undo_the_answer() -> None:
    with server(drip(b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 500)) as url:
        started = time.monotonic()
        answer = post(url, b"{}", {}, 10, allow_loopback=True)
    assert answer.status == 200
    assert time.monotonic() - started < 6


@pytest.mark.fault(37)
def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with server(say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as url:
        assert fetch(url, max_bytes=4, seconds=5, allow_loopback=True) == b"ok"
