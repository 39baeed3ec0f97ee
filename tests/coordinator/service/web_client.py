"""A browser's connection, byte by byte: it can do what no browser would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import h11
from google.rpc import error_details_pb2, status_pb2

from coordinator.config.service import ServiceSection
from coordinator.service import web_frames
from coordinator.service.web import Web

SOON_S = 10.0
MEDIA = "application/grpc-web+proto"


@dataclass
class Reply:
    """What came back: messages and trailers of gRPC-Web, or a file."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def frames(self) -> list[tuple[int, bytes]]:
        found, rest = [], self.body
        while rest:
            length = int.from_bytes(rest[1:5], "big")
            found.append((rest[0], rest[5 : 5 + length]))
            rest = rest[5 + length :]
        return found

    @property
    def messages(self) -> list[bytes]:
        return [content for flags, content in self.frames if flags == 0]

    @property
    def trailers(self) -> dict[str, str]:
        (last,) = [content for flags, content in self.frames if flags & 0x80]
        lines = last.decode("ascii").split("\r\n")
        return dict(line.split(": ", 1) for line in lines if line)

    @property
    def code(self) -> grpc.StatusCode:
        number = int(self.trailers["grpc-status"])
        return next(code for code in grpc.StatusCode if code.value[0] == number)

    @property
    def token(self) -> str:
        import base64

        coded = self.trailers["grpc-status-details-bin"]
        padded = coded + "=" * (-len(coded) % 4)
        status = status_pb2.Status.FromString(base64.b64decode(padded))
        info = error_details_pb2.ErrorInfo()
        assert status.details[0].Unpack(info)
        assert info.domain == "andon"
        return str(info.reason)


class Browser:
    """One connection."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._http = h11.Connection(h11.CLIENT)

    async def __aenter__(self) -> Browser:
        self._reader, self._writer = await asyncio.open_connection(
            self._host, self._port
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def raw(self, content: bytes) -> None:
        """Send bytes, sense or nonsense."""
        self._writer.write(content)
        await self._writer.drain()

    async def begin(self, method: str, path: str, length: int, **more: str) -> None:
        """Send the head of a request; an underscore in a header's name is a hyphen."""
        usual = {"host": f"127.0.0.1:{self._port}", "content-type": MEDIA}
        named = {key.replace("_", "-"): value for key, value in more.items()}
        headers = {**usual, "content-length": str(length), **named}
        lines = [
            f"{method} {path} HTTP/1.1",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        await self.raw("\r\n".join([*lines, "", ""]).encode("latin-1"))
        request = h11.Request(method=method, target=path, headers=list(headers.items()))
        self._http.send(request)
        if length == 0:
            self._http.send(h11.EndOfMessage())

    async def event(self) -> Any:
        """The next thing that is heard."""
        async with asyncio.timeout(SOON_S):
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(65_536))
        return event

    async def reply(self) -> Reply:
        """The whole reply."""
        head, body = await self.event(), b""
        assert isinstance(head, h11.Response), head
        while isinstance(event := await self.event(), h11.Data):
            body += event.data
        headers = {k.decode(): v.decode() for k, v in head.headers}
        return Reply(head.status_code, headers, body)

    async def hung_up(self) -> bool:
        """Wait until the other side ends the connection."""
        async with asyncio.timeout(SOON_S):
            try:
                while await self._reader.read(65_536):
                    pass
            except ConnectionError:
                return True
        return True


async def call(address: str, path: str, body: bytes, **headers: str) -> Reply:
    """One request as gRPC-Web; the body is sent as it is."""
    async with Browser(address) as browser:
        await browser.begin("POST", path, len(body), **headers)
        await browser.raw(body)
        return await browser.reply()


async def ask(address: str, path: str, message: Any, **headers: str) -> Reply:
    """One message for one, or for many."""
    body = web_frames.frame(message.SerializeToString())
    return await call(address, path, body, **headers)


async def get(address: str, path: str, method: str = "GET", **headers: str) -> Reply:
    """One file of the page."""
    async with Browser(address) as browser:
        await browser.begin(method, path, 0, **headers)
        return await browser.reply()


@asynccontextmanager
async def web_before(grpc_address: str, **section: Any) -> AsyncIterator[str]:
    """The port for browsers in front of a gRPC server; its address."""
    web = Web(ServiceSection(**section))
    address = await web.start(grpc_address)
    try:
        yield address
    finally:
        await web.stop()
