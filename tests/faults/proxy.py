"""A line between the store and its clients that fails in all the ways of a network. Knows bytes, no commands.

cut        connections are reset, new ones as well
drop       requests vanish, and nothing says so
half-open  requests arrive, replies vanish
slow       every piece waits `SLOW_SECONDS` on its way, both ways

Bytes that were lost leave their connection dumb for ever: mending helps new ones only, as in life. A `Trap`
waits for one request that contains certain bytes and keeps it, or its reply, or loses the reply.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from job_store.server import script_text
from runtime.valkey import free_port

SLOW_SECONDS = 0.1
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: closing sends RST

Fault = Literal["cut", "drop", "half-open", "slow"]
FAULTS: tuple[Fault, ...] = ("cut", "drop", "half-open", "slow")


def script(name: str) -> bytes:
    """The bytes by which a call of scripts/`name`.lua is known on the line."""
    return hashlib.sha1(script_text(name).encode()).hexdigest().encode()


@dataclass(eq=False)
class Trap:
    """For the first request with `pattern`: `caught` once it is there, kept until `release`d or `lose`d."""

    pattern: bytes
    of: Literal["request", "reply"]
    caught: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _lost: bool = False

    def wait(self, seconds: float = 20.0) -> None:
        assert self.caught.wait(seconds), f"nothing with {self.pattern!r} came by"

    def release(self) -> None:
        """Let it pass."""
        self._over.set()

    def lose(self) -> None:
        """Let it be lost, and its connection with it."""
        self._lost = True
        self._over.set()

    async def passed(self) -> bool:
        """Whether it may pass, once that is known."""
        self.caught.set()
        while not self._over.is_set():
            await asyncio.sleep(0.002)
        return not self._lost


class _Link:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client, self.server = client, server
        self.dumb = False
        self.trap: Trap | None = None  # for the next reply

    def reset(self) -> None:
        for writer in (self.client, self.server):
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


class Proxy:
    """Listens on a port of its own; everything but `run` may be called from any thread."""

    def __init__(self, server_port: int) -> None:
        self.port, self._server_port = free_port(), server_port
        self.url, self.server_url = (f"redis://127.0.0.1:{port}/0" for port in (self.port, server_port))
        self._fault: Fault | None = None
        self._traps: list[Trap] = []
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self.listening = threading.Event()

    def fail(self, fault: Fault) -> None:
        """From now on, until `mend`ed."""
        self._fault = fault
        if fault == "cut":
            self._loop.call_soon_threadsafe(self._cut)

    def mend(self) -> None:
        self._fault = None

    def trap(self, pattern: bytes, of: Literal["request", "reply"] = "request") -> Trap:
        """Keep the next request with these bytes, or its reply."""
        self._traps.append(Trap(pattern, of))
        return self._traps[-1]

    def untrap(self) -> None:
        """Keep nothing that is not kept already."""
        self._traps.clear()

    def lose_reply(self, pattern: bytes) -> Trap:
        """Have the next request with these bytes obeyed, and its reply lost."""
        trap = self.trap(pattern, "reply")
        trap.lose()
        return trap

    def run(self) -> None:
        """Until `close`d."""
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.listening.set()
        await self._end.wait()
        server.close()
        self._cut()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _cut(self) -> None:
        for link in self._links:
            link.reset()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._fault == "cut":
                raise ConnectionResetError
            replies, server = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            _Link(writer, writer).reset()
            return
        link = _Link(writer, server)
        self._links.add(link)
        with suppress(OSError):
            pumps = [
                asyncio.ensure_future(pump) for pump in (self._ask(reader, link), self._tell(replies, link))
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        link.reset()
        self._links.discard(link)

    async def _ask(self, requests: asyncio.StreamReader, link: _Link) -> None:
        while data := await requests.read(2**16):
            await self._dawdle()
            link.dumb |= self._fault == "drop"
            if link.dumb:
                continue
            trap = self._sprung(data)
            if trap is not None and trap.of == "reply":
                link.trap = trap
            elif trap is not None and not await trap.passed():
                return
            link.server.write(data)
            await link.server.drain()

    async def _tell(self, replies: asyncio.StreamReader, link: _Link) -> None:
        while data := await replies.read(2**16):
            await self._dawdle()
            link.dumb |= self._fault in ("drop", "half-open")
            if link.dumb:
                continue
            trap, link.trap = link.trap, None
            if trap is not None and data.startswith(b"-NOSCRIPT"):
                self._traps.append(trap)  # the client loads the script and asks again
            elif trap is not None and not await trap.passed():
                return
            link.client.write(data)
            await link.client.drain()

    async def _dawdle(self) -> None:
        if self._fault == "slow":
            await asyncio.sleep(SLOW_SECONDS)

    def _sprung(self, data: bytes) -> Trap | None:
        trap = next((trap for trap in self._traps if trap.pattern in data), None)
        if trap is not None:
            self._traps.remove(trap)
        return trap


@contextmanager
def proxied(server_port: int) -> Iterator[Proxy]:
    """A proxy in front of what listens on a port of 127.0.0.1."""
    proxy = Proxy(server_port)
    thread = threading.Thread(target=proxy.run, name="proxy")
    thread.start()
    assert proxy.listening.wait(10)
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
