"""A cable between one process and the store that can be cut, held, or made to lose a reply."""

from __future__ import annotations

import asyncio
from contextlib import suppress

CHUNK = 65_536


class Cable:
    """TCP from a free port of this machine to `target_port`. Lives in the running event loop."""

    def __init__(self, target_port: int) -> None:
        self._target, self._cut, self._losing = target_port, False, False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def lay(self) -> int:
        """Begin to listen; the port."""
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def remove(self) -> None:
        """For good."""
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Every connection is reset, and every new one, until it is mended."""
        self._cut = True
        for end in self._ends:
            end.transport.abort()

    def hold(self) -> None:
        """Connections stay open and new ones are taken, but nothing comes through until it is mended."""
        self._flowing.clear()

    def lose_reply(self) -> None:
        """The next reply is lost, and its connection reset: what was asked was done."""
        self._losing = True

    def mend(self) -> None:
        """All is as before."""
        self._cut = False
        self._flowing.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            if self._cut:
                return
            store_reader, store_writer = await asyncio.open_connection("127.0.0.1", self._target)
            ends.append(store_writer)
            self._ends.update(ends)
            both = [
                asyncio.create_task(self._carry(reader, store_writer, replies=False)),
                asyncio.create_task(self._carry(store_reader, writer, replies=True)),
            ]
            _, left = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
        except OSError:
            return  # the store is down: the caller sees its connection reset
        finally:
            for end in ends:
                self._ends.discard(end)
                end.transport.abort()

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, replies: bool
    ) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                await self._flowing.wait()
                if replies and self._losing:
                    self._losing = False
                    return
                sink.write(data)
                await sink.drain()
