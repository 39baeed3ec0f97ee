"""The gRPC server: five services, health, limits, one exclusive port."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from andon.v1 import (
    access_pb2_grpc,
    cell_pb2_grpc,
    insight_pb2_grpc,
    learning_pb2_grpc,
    operator_pb2_grpc,
)
from coordinator.config.service import ServiceSection
from coordinator.errors import InsecureBindError, UnavailableError
from coordinator.service.access_service import AccessService
from coordinator.service.cell_service import CellService
from coordinator.service.edge import Edge
from coordinator.service.insight_service import InsightService
from coordinator.service.learning_service import LearningService
from coordinator.service.operator_service import OperatorService
from coordinator.service.plant import Plant
from coordinator.service.web import Web

RECEIVE_BYTES = 1 << 20
SEND_BYTES = 4 << 20
OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_receive_message_length", RECEIVE_BYTES),
    ("grpc.max_send_message_length", SEND_BYTES),
    ("grpc.so_reuseport", 0),  # a second coordinator must not share the port
    ("grpc.max_concurrent_streams", 64),
    ("grpc.max_pending_requests", 100_000),  # bursts otherwise come back CANCELLED
    ("grpc.max_pending_requests_hard_limit", 110_000),
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 1_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    ("grpc.http2.max_ping_strikes", 0),
    # The window of a stream stays at 64 KiB, however large the link's buffers are: a
    # clip that is under way can then not lie seconds long before a heartbeat.
    ("grpc.http2.bdp_probe", 0),
)


class Server:
    """The listening side of a plant.

    Attributes:
        web_address: Where the page for tablets is served; empty when it is not.
    """

    def __init__(self, plant: Plant, web: ServiceSection | None = None) -> None:
        self.cells = CellService(plant)
        self.web_address = ""
        self._web = Web(web) if web is not None and web.web_port else None
        self._edge = Edge(plant.people)
        self._server = grpc.aio.server(interceptors=[self._edge], options=OPTIONS)
        self._health = health.aio.HealthServicer()
        cell_pb2_grpc.add_CellServiceServicer_to_server(self.cells, self._server)
        operator_pb2_grpc.add_OperatorServiceServicer_to_server(
            OperatorService(plant), self._server
        )
        learning_pb2_grpc.add_LearningServiceServicer_to_server(
            LearningService(plant), self._server
        )
        insight_pb2_grpc.add_InsightServiceServicer_to_server(
            InsightService(plant), self._server
        )
        access_pb2_grpc.add_AccessServiceServicer_to_server(
            AccessService(plant), self._server
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    async def start(self, listen: str) -> str:
        """Listen; return the address with the port that was taken.

        Raises:
            InsecureBindError: the address is not loopback, and there is no TLS yet.
            UnavailableError: the port is taken.
        """
        host = listen.rpartition(":")[0]
        require_loopback(host)
        try:
            port = self._server.add_insecure_port(listen)
        except RuntimeError as error:
            raise UnavailableError(
                f"{listen} cannot be bound: is another coordinator running?",
                "PORT_TAKEN",
            ) from error
        await self._server.start()
        if self._web is not None:
            self.web_address = await self._web.start(f"{host}:{port}")
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        return f"{host}:{port}"

    async def stop(self) -> None:
        """Tell everybody, end the sessions, stop listening."""
        await self._health.enter_graceful_shutdown()
        if self._web is not None:
            await self._web.stop()
        self.cells.drain()
        self.cells.sessions.end_all("the coordinator stops.")
        await self._server.stop(grace=1.0)
        await self._edge.finish(within_s=3.0)


def require_loopback(host: str) -> None:
    """Refuse an address that others can reach while there is no TLS.

    Raises:
        InsecureBindError: it is not loopback.
    """
    name = host.strip("[]")
    try:
        loopback = ipaddress.ip_address(name).is_loopback
    except ValueError:
        loopback = name == "localhost"
    if not loopback:
        raise InsecureBindError(
            f"'{name[:40]}' is not loopback, and this version serves no TLS. "
            "Listen on 127.0.0.1."
        )
