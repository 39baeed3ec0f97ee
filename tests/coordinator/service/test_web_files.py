"""The page's files, and what a browser may do with them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pb2

from andon.v1 import operator_pb2
from coordinator.errors import UnavailableError
from coordinator.service import web_files
from tests.coordinator.service.web_client import ask, get, web_before

FILES = [
    "/",
    "/index.html",
    "/app.js",
    "/app.css",
    "/sw.js",
    "/icon.svg",
    "/contract.bin",
]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address() -> AsyncIterator[str]:
    """The port for browsers; no coordinator is needed for files."""
    async with web_before("127.0.0.1:1", web_names=("Andon.plant.example",)) as served:
        yield served


@pytest.mark.parametrize("path", [*FILES, "/missing.txt"])
async def test_every_reply_carries_the_rules(address: str, path: str) -> None:
    reply = await get(address, path)

    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:|\*", policy)
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert "server" not in reply.headers


@pytest.mark.parametrize("path", FILES)
async def test_a_file_that_is_known_is_not_sent_again(address: str, path: str) -> None:
    first = await get(address, path)
    again = await get(address, path, if_none_match=first.headers["etag"])

    assert first.status == 200
    assert first.body
    assert (again.status, again.body) == (304, b"")


async def test_a_packed_file_is_the_same_file(address: str) -> None:
    plain = await get(address, "/app.js")
    packed = await get(address, "/app.js", accept_encoding="br, gzip")

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["vary"] == "accept-encoding"


async def test_a_head_says_all_but_the_content(address: str) -> None:
    reply = await get(address, "/app.css", "HEAD")

    assert reply.status == 200
    assert reply.body == b""


@pytest.mark.parametrize(
    "path",
    [
        "/../web.py",
        "/..%2fweb.py",
        "/%2e%2e/%2e%2e/pyproject.toml",
        "//etc/passwd",
        "/app.js/",
        "/app.js%00.css",
        "/.",
        "/andon.v1.OperatorService/Watch",
    ],
)
async def test_there_is_nothing_beside_the_page(address: str, path: str) -> None:
    assert (await get(address, path)).status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_files_are_only_read(address: str, method: str) -> None:
    reply = await get(address, "/", method)

    assert reply.status == 405
    assert not [key for key in reply.headers if key.startswith("access-control")]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("[::1]:9", 200),
        ("andon.PLANT.example:443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
async def test_a_name_that_somebody_else_points_here_is_refused(
    address: str, host: str, status: int
) -> None:
    assert (await get(address, "/", host=host)).status == status


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
async def test_another_page_cannot_call_across(
    address: str, headers: dict[str, str]
) -> None:
    path = "/andon.v1.OperatorService/Hold"

    reply = await ask(address, path, operator_pb2.HoldRequest(), **headers)

    assert reply.status == 403


async def test_the_page_itself_can_call(address: str) -> None:
    reply = await ask(
        address,
        "/andon.v1.OperatorService/Hold",
        operator_pb2.HoldRequest(),
        origin=f"http://{address}",
        sec_fetch_site="same-origin",
    )

    assert reply.code is grpc.StatusCode.UNAVAILABLE  # nobody is behind this one


async def test_the_contract_is_whole_and_leaves_the_nodes_out(address: str) -> None:
    found = descriptor_pb2.FileDescriptorSet.FromString(
        (await get(address, "/contract.bin")).body
    )
    names = [file.name for file in found.file]

    assert len(set(names)) == len(names)
    assert "andon/v1/cell.proto" not in names
    for place, file in enumerate(found.file):
        assert set(file.dependency) <= set(names[:place])


async def test_the_service_worker_knows_every_file(address: str) -> None:
    names = json.loads((await get(address, "/files.json")).body)

    for name in names:
        assert (await get(address, name)).status == 200
    assert {"/", "/app.js", "/contract.bin"} <= set(names)


async def test_the_page_asks_no_other_host() -> None:
    """Licences and namespaces name hosts; nothing that a browser would load does."""
    loads = re.compile(rb"""(?:src|href|url\(|fetch\(|import\()\s*=?\s*["'(]?https?:""")
    files = web_files.files(b"")

    assert [name for name, file in files.items() if loads.search(file.content)] == []


async def test_a_port_that_is_taken_is_told(address: str) -> None:
    port = int(address.rpartition(":")[2])
    with pytest.raises(UnavailableError, match="cannot be served"):
        async with web_before("127.0.0.1:1", web_port=port):
            pass
