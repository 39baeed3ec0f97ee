"""The port for browsers: the page, and the bridge that carries its calls.

Loopback by default. TLS is not served yet: its place is `Web.start`, where uvicorn is
told of a certificate.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import uvicorn

from coordinator import log
from coordinator.config.service import ServiceSection
from coordinator.errors import UnavailableError
from coordinator.service import web_files, web_methods
from coordinator.service.web_bridge import Bridge, Receive, Scope, Send
from coordinator.service.web_connection import MOST_CONNECTIONS, Connection

_log = log.get("web")
LONGEST_HEAD: Final = 16 << 10
OWN_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


class Pages:
    """The ASGI application: who may ask, and which room answers."""

    def __init__(self, bridge: Bridge, names: tuple[str, ...]) -> None:
        self._bridge = bridge
        self._names = frozenset(name.lower() for name in names)
        self._files = web_files.files(web_methods.contract())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        headers = {key.lower(): value for key, value in scope["headers"]}
        status = self._objection(headers, scope["method"])
        if status:
            await _plain(send, status)
        elif scope["method"] == "POST":
            await self._bridge(scope, receive, send)
        elif scope["method"] in {"GET", "HEAD"}:
            await self._file(scope, headers, send)
        else:
            await _plain(send, 405)

    def _objection(self, headers: dict[bytes, bytes], method: str) -> int:
        """HTTP status of a refusal; 0 for none.

        A page elsewhere must not reach the plant through the browser that shows it:
        neither by a name of its own that points here, nor by calling across.
        """
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if _without_port(host) not in self._names:
            return 421
        if method != "POST":
            return 0
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        site = headers.get(b"sec-fetch-site", b"same-origin")
        if origin and origin.partition("://")[2] != host:
            return 403
        return 0 if site in {b"same-origin", b"none"} else 403

    async def _file(
        self, scope: Scope, headers: dict[bytes, bytes], send: Send
    ) -> None:
        file = self._files.get(scope["path"])
        if file is None:
            await _plain(send, 404)
            return
        packs = b"gzip" in headers.get(b"accept-encoding", b"")
        body = file.packed if packs and file.packed else file.content
        known = file.etag.encode() in headers.get(b"if-none-match", b"")
        about = [
            *web_files.RULES,
            ("connection", "close"),
            ("content-type", file.media),
            ("etag", file.etag),
            ("vary", "accept-encoding"),
        ]
        if body is file.packed:
            about.append(("content-encoding", "gzip"))
        if not known:
            about.append(("content-length", str(len(body))))
        await send(
            {
                "type": "http.response.start",
                "status": 304 if known else 200,
                "headers": [(key.encode(), value.encode()) for key, value in about],
            }
        )
        silent = known or scope["method"] == "HEAD"
        await send({"type": "http.response.body", "body": b"" if silent else body})


async def _plain(send: Send, status: int) -> None:
    headers = [(key.encode(), value.encode()) for key, value in web_files.RULES]
    headers += [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


class _Uvicorn(uvicorn.Server):
    """Leaves the signals to the coordinator."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class Web:
    """The listening side for browsers."""

    def __init__(self, section: ServiceSection) -> None:
        self._section = section
        self._bridge: Bridge | None = None
        self._uvicorn: _Uvicorn | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, grpc_address: str) -> str:
        """Serve the page that talks to a gRPC address; return its own address.

        Raises:
            UnavailableError: the port is taken.
        """
        section = self._section
        plug = _listen(section.web_host, section.web_port)
        port: int = plug.getsockname()[1]
        self._bridge = Bridge(grpc_address, web_methods.methods())
        names = (*OWN_NAMES, section.web_host, *section.web_names)
        settings = uvicorn.Config(
            Pages(self._bridge, names),
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=LONGEST_HEAD,
            timeout_graceful_shutdown=1,
        )
        self._uvicorn = _Uvicorn(settings)
        self._serving = asyncio.create_task(
            self._uvicorn.serve(sockets=[plug]), name="web"
        )
        if section.web_without_tls_because:
            _log.warning("web_without_tls", because=section.web_without_tls_because)
        host = section.web_host
        return f"{f'[{host}]' if ':' in host else host}:{port}"

    async def stop(self) -> None:
        """End every call, and stop listening."""
        if self._bridge is not None:
            await self._bridge.close()
        if self._uvicorn is not None and self._serving is not None:
            self._uvicorn.should_exit = True
            await self._serving


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        UnavailableError: the port is taken, or the address is none of this machine's.
    """
    bare = host.removeprefix("[").removesuffix("]")
    try:
        found: list[Any] = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)
        family, kind, number, _, address = found[0]
        with ExitStack() as closing:
            plug = closing.enter_context(socket.socket(family, kind, number))
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            plug.bind(address)
            plug.listen(MOST_CONNECTIONS)
            closing.pop_all()
    except OSError as error:
        raise UnavailableError(
            f"the page cannot be served at {host[:40]}:{port}: {error.strerror}.",
            "PORT_TAKEN",
        ) from error
    plug.setblocking(False)  # noqa: FBT003 - the standard library's own
    return plug
