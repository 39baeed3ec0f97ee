"""Tablets that only watch, as a process of their own: native ones, and in browsers.

    python -m benchmarks.seat.watchers HOST:PORT WEB_PORT NATIVE BROWSERS

Says "ready" when each has its first picture, and how much came, as JSON, when its input
is closed.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import grpc.aio

from andon.v1 import operator_pb2, operator_pb2_grpc

CALLS_A_CHANNEL = 48
DATA_FRAME = 0


async def native(
    channel: grpc.aio.Channel, number: int, came: Counter[str], seen: asyncio.Event
) -> None:
    """Watch by gRPC."""
    actor = operator_pb2.Actor(person="ana", device=f"tablet-{number}")
    request = operator_pb2.WatchRequest(actor=actor, answering=False)
    async for response in operator_pb2_grpc.OperatorServiceStub(channel).Watch(request):
        came["native"] += 1
        came["native_bytes"] += response.ByteSize()
        seen.set()


async def browser(
    port: int, number: int, came: Counter[str], seen: asyncio.Event
) -> None:
    """Watch by gRPC-Web over HTTP/1.1, as a browser's fetch does."""
    actor = operator_pb2.Actor(person="ana", device=f"browser-{number}")
    message = operator_pb2.WatchRequest(actor=actor).SerializeToString()
    body = struct.pack(">BI", DATA_FRAME, len(message)) + message
    head = (
        "POST /andon.v1.OperatorService/Watch HTTP/1.1\r\n"
        f"host: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\n"
        "content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in answer.splitlines()[0], answer
        assert b"chunked" in answer.lower(), answer
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
            came["browser"] += 1
            came["browser_bytes"] += size
            seen.set()
    finally:
        writer.close()


async def main(words: Sequence[str]) -> None:
    """Watch until the input is closed."""
    address, web_port, natives, browsers = words[0], *map(int, words[1:])
    came: Counter[str] = Counter()
    firsts = [asyncio.Event() for _ in range(natives + browsers)]
    channels = [
        grpc.aio.insecure_channel(
            address, options=[("grpc.use_local_subchannel_pool", 1)]
        )
        for _ in range(0, natives, CALLS_A_CHANNEL)
    ]
    watching = [
        asyncio.create_task(native(channels[n // CALLS_A_CHANNEL], n, came, firsts[n]))
        for n in range(natives)
    ] + [
        asyncio.create_task(browser(web_port, n, came, firsts[natives + n]))
        for n in range(browsers)
    ]
    firsts_came = asyncio.gather(*(first.wait() for first in firsts))
    done, _ = await asyncio.wait(
        [firsts_came, *watching], timeout=60, return_when=asyncio.FIRST_COMPLETED
    )
    assert firsts_came in done, [task.exception() for task in done]
    came.clear()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(json.dumps(came), flush=True)
    for task in watching:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*watching, return_exceptions=True)
    for channel in channels:
        await channel.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
