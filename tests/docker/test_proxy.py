"""The shipped reverse proxy in front of a gateway: a real nginx, its configuration changed in addresses."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from pydantic import SecretStr
from redis import Redis

from api_schemas.errors import Problem
from api_schemas.jobs import Progress
from client.client import Addit
from job_store.api_keys import ApiKeys
from job_store.jobs import JobStore
from job_store.workers import WorkerRegistry
from runtime.settings import Settings
from runtime.valkey import EmbeddedValkey, free_port
from tests.docker.compose import ROOT, SERVICES
from tests.docker.test_images import PINNED
from tests.figures import Figure
from tests.service.conftest import BODY, CARD, make_settings, put_worker, serving

CONFIGURATION = ROOT / "docker" / "proxy" / "nginx.conf"
SERVICE = yaml.safe_load((ROOT / "docker" / "proxy" / "compose.yml").read_text())["services"]["proxy"]
HEAD_SECONDS = 1
OPERATORS = "operate"
MIB = 2**20


@dataclass(frozen=True)
class Proxy:
    """A running nginx. port: of TLS; plain: of what only redirects; log: what it said."""

    port: int
    plain: int
    log: Path
    key: str

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def client(self) -> httpx.Client:
        """With a key; the certificate is one of ours."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, verify=False, timeout=20)


def nginx() -> str:
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert found, "the proxy is tested with Debian's nginx-light (.ci/run installs it)"
    return found


def here(text: str, folder: Path, gateway: Settings, ports: tuple[int, int]) -> str:
    """The configuration with this machine's addresses, and a deadline for heads that a test can wait for."""
    changes = {
        " /tmp/": f" {folder}/",
        "server gateway:8080;": f"server 127.0.0.1:{gateway.port};",
        "listen 8080;": f"listen 127.0.0.1:{ports[0]};",
        "listen 8443 ": f"listen 127.0.0.1:{ports[1]} ",
        "/etc/addit/tls": str(folder),
        "client_header_timeout 10s;": f"client_header_timeout {HEAD_SECONDS}s;",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def proxy(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
         "-keyout", f"{folder}/privkey.pem", "-out", f"{folder}/fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    settings = make_settings(
        valkey, folder / "artifacts", max_body_bytes=Settings().max_body_bytes, admin_key=SecretStr(OPERATORS)
    )
    ports, log = (free_port(), free_port()), folder / "nginx.log"
    (folder / "nginx.conf").write_text(here(CONFIGURATION.read_text(), folder, settings, ports))
    with Redis.from_url(valkey.url) as redis:
        redis.flushall()
        key = ApiKeys(redis).create("acme", "test")
        WorkerRegistry(redis).announce(CARD)
        put_worker(WorkerRegistry(redis))
    # The test may run as root, whose folders nobody else's processes enter.
    command = [nginx(), "-c", f"{folder}/nginx.conf", "-g", f"daemon off; user {folder.owner()};"]
    with serving(settings), log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            found = Proxy(ports[1], ports[0], log, key)
            wait_until_answering(found)
            yield found
        finally:
            process.terminate()
            process.wait(10)


def wait_until_answering(proxy: Proxy) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError), proxy.client() as client:
            if client.get("/livez").status_code == 200:
                return
        time.sleep(0.05)
    pytest.fail(proxy.log.read_text())


def test_its_container_can_do_no_more_than_the_others() -> None:
    hardened = ("read_only", "cap_drop", "security_opt", "restart", "tmpfs", "logging")
    assert all(SERVICE[name] == SERVICES["gateway"][name] for name in hardened)
    assert SERVICE["user"] != "root"
    assert PINNED.fullmatch(SERVICE["image"])
    assert [volume.rsplit(":", 1)[1] for volume in SERVICE["volumes"]] == ["ro", "ro"]
    listened = re.findall(r"listen (\d+)", CONFIGURATION.read_text())
    assert [port.split(":")[2] for port in SERVICE["ports"]] == listened


def test_only_tls_leads_to_the_gateway(proxy: Proxy) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain}/livez")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://127.0.0.1/livez")
    with proxy.client() as client:
        assert client.get("/livez").headers["strict-transport-security"]


@pytest.mark.parametrize("path", ["/admin/tenants", "/admin", "/metrics", "//admin/tenants", "/%61dmin/acts"])
def test_what_is_for_operators_is_not_there(proxy: Proxy, path: str) -> None:
    with proxy.client() as client:
        answer = client.get(f"{proxy.url}{path}", headers={"Authorization": f"Bearer {OPERATORS}"})
    assert answer.status_code == 404


def test_no_upstream_is_the_port_of_operators() -> None:
    upstreams = re.findall(r"server ([\w.]+:\d+);", CONFIGURATION.read_text())
    assert upstreams == [f"gateway:{Settings().port}"]


@pytest.mark.fault(48)
def test_a_body_beyond_the_limit_is_refused_before_it_is_sent(proxy: Proxy, figure: Figure) -> None:
    assert "client_max_body_size 32m;" in CONFIGURATION.read_text()
    assert Settings().max_body_bytes == 32 * MIB
    with proxy.client() as client:
        small = client.post("/v1/images", content=b"\0" * MIB, headers={"Content-Type": "image/png"})
        assert small.json()["code"] == "unsupported_image"
    head = f"POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Length: {33 * MIB}\r\n\r\n"
    answer = answer_to(proxy, head.encode())
    figure(48, "status of a refusal", int(answer.split(b" ", 2)[1]))
    assert Problem.model_validate_json(answer.partition(b"\r\n\r\n")[2]).code == "body_too_large"


@pytest.mark.fault(49)
@pytest.mark.parametrize("head", [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_end_is_closed(proxy: Proxy, head: bytes, figure: Figure) -> None:
    began = time.monotonic()
    assert b"200" not in answer_to(proxy, head)
    figure(49, "closed after its limit", time.monotonic() - began - HEAD_SECONDS)


def answer_to(proxy: Proxy, data: bytes) -> bytes:
    """What comes back until the proxy closes."""
    context = ssl._create_unverified_context()
    pieces = []
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as plain:
        with context.wrap_socket(plain) as connection:
            connection.sendall(data)
            with suppress(ConnectionResetError, ssl.SSLError):
                while piece := connection.recv(65_536):
                    pieces.append(piece)
    return b"".join(pieces)


def test_events_pass_as_they_come(proxy: Proxy, valkey: EmbeddedValkey) -> None:
    with proxy.client() as client, Redis.from_url(valkey.url) as redis:
        store = JobStore(redis)
        put_worker(WorkerRegistry(redis))
        job_id = client.post("/v1/insertions", json=BODY).json()["id"]
        with client.stream("GET", f"/v1/insertions/{job_id}/events") as answer:
            types = (
                line.removeprefix("event: ") for line in answer.iter_lines() if line.startswith("event: ")
            )
            assert next(types) == "queued"
            claim = store.claim(CARD.name, "one", 30_000)
            assert claim
            assert next(types) == "started"
            progress = Progress(stage="denoise", step=1, total=2, percent=50)
            store.report(job_id, claim.token, progress)
            assert next(types) == "stage"
            store.canceled(job_id, claim.token)
            assert list(types) == ["completed"]


@pytest.mark.fault(54)
def test_its_log_holds_paths_and_no_signatures(proxy: Proxy, figure: Figure) -> None:
    with proxy.client() as client:
        client.get("/v1/artifacts/t/acme/i/img_0.png?expires=1&signature=Secret")
    deadline = time.monotonic() + 10
    while "/v1/artifacts/t/acme/i/img_0.png" not in proxy.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    log = proxy.log.read_text()
    figure(54, "secrets told", sum(secret in log for secret in ("Secret", proxy.key)))


def test_a_gateway_that_is_away_is_waited_for(proxy: Proxy, tmp_path: Path, valkey: EmbeddedValkey) -> None:
    """The client of the project tries again what the proxy says in the gateway's stead."""
    configuration = (proxy.log.parent / "nginx.conf").read_text()
    dead, ports = free_port(), (free_port(), free_port())
    for old, new in zip((proxy.plain, proxy.port), ports, strict=True):
        configuration = configuration.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
    configuration = re.sub(r"server 127.0.0.1:\d+;", f"server 127.0.0.1:{dead};", configuration)
    (tmp_path / "nginx.conf").write_text(
        configuration.replace(f"{proxy.log.parent}/nginx", f"{tmp_path}/nginx")
    )
    command = [nginx(), "-c", f"{tmp_path}/nginx.conf", "-g", f"daemon off; user {tmp_path.owner()};"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        away = Proxy(ports[1], ports[0], proxy.log, proxy.key)
        transport = httpx.HTTPTransport(verify=False)
        with Addit(away.url, proxy.key, transport=transport) as addit, Redis.from_url(valkey.url) as redis:
            settings = make_settings(valkey, tmp_path / "artifacts", port=dead)
            deadline = time.monotonic() + 20
            while True:
                with suppress(httpx.TransportError), away.client() as client:
                    answer = client.get("/v1/models")
                    break
                assert time.monotonic() < deadline
            problem = Problem.model_validate_json(answer.content)
            assert (answer.status_code, problem.code) == (503, "store_unavailable")
            assert answer.headers["retry-after"] == "2"
            with serving(settings):
                put_worker(WorkerRegistry(redis))
                assert [model.name for model in addit.models().data] == [CARD.name]
    finally:
        process.terminate()
        process.wait(10)
