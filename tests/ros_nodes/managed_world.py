"""One managed node in a process of its own, its robot, and a program that calls it."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from std_srvs.srv import Trigger

from andon.v1 import cell_pb2
from ros_nodes.clock import SystemClock
from ros_nodes.decide import SHORTEST_STEP_NS
from tests.ros_nodes.cells import write_config
from tests.ros_nodes.managed import (
    NODE_COMMAND,
    FakeRobot,
    Managed,
    node_process,
    trace,
)
from tests.ros_nodes.ros_world import Spun, spun, until
from tests.ros_nodes.scripted_coordinator import (
    ScriptedCoordinator,
    Spoken,
    serving,
)

NODE = "/press_1/cell_node"


class Caller:
    """A robot's program that calls ~/decide, with a client of its own."""

    def __init__(self, ros: Spun) -> None:
        self._ros = ros
        self.client = ros.node.create_client(Trigger, f"{NODE}/decide")

    async def call(self) -> Any:
        """Call; what is returned is done when the call is answered."""
        await until(self.client.service_is_ready, within=30.0)
        return self.client.call_async(Trigger.Request())

    def end(self) -> None:
        """End as a program ends: its client is gone."""
        self._ros.node.destroy_client(self.client)


async def told(call: Any, *, within: float = 20.0) -> tuple[bool, str]:
    """Wait for a call's answer: whether it may go on, and the words."""
    await until(call.done, within=within)
    response = call.result()
    return bool(response.success), str(response.message)


class World:
    """One node that is started by transitions, its robot, and a free port."""

    def __init__(
        self,
        folder: Path,
        ros: Spun,
        port: int,
        start: Callable[[], subprocess.Popen[bytes]],
    ) -> None:
        self.folder = folder
        self.trace = folder / "node.jsonl"
        self.ros = ros
        self.port = port
        self.robot = FakeRobot(ros)
        self._programs: list[Caller] = []
        self._start = start
        self.node = Managed(ros, start(), NODE)

    async def begin_again(self) -> None:
        """Start the node anew, after a test killed it."""
        self.node.process = self._start()
        self.node.forget()
        # What is known of services may still be about the one that was killed.
        await self.node.told("lifecycle", "unconfigured")

    def log(self) -> str:
        return (self.folder / "node.log").read_text(encoding="utf-8")

    def seen(self, event: str) -> int:
        """How often the node wrote down an event."""
        return len(trace(self.trace, event))

    def program(self) -> Caller:
        """A program that begins now."""
        self._programs.append(Caller(self.ros))
        return self._programs[-1]

    async def reset(self) -> None:
        """End the programs of a test, and bring the node back to its beginning."""
        while self._programs:
            self._programs.pop().end()
        await self.node.reset()

    @asynccontextmanager
    async def coordinated(self) -> AsyncIterator[ScriptedCoordinator]:
        """A coordinator on this world's port; another epoch than any before."""
        coordinator = ScriptedCoordinator(first_epoch=1 + self.seen("session_open"))
        async with serving(coordinator, port=self.port):
            yield coordinator

    async def configured(self) -> None:
        """Configured, its robot held, its sensors heard."""
        before = self.seen("hold_answered"), self.seen("robot_there")
        assert await self.node.change("configure")
        await until(lambda: self.seen("hold_answered") > before[0])
        await until(lambda: self.seen("robot_there") > before[1])
        self.node.forget()

    async def active(self, coordinator: ScriptedCoordinator) -> Spoken:
        """Active, in a session."""
        await self.configured()
        number = 1 + len(coordinator.sessions)
        assert await self.node.change("activate")
        return await coordinator.session(number)

    async def working(self, coordinator: ScriptedCoordinator) -> tuple[Spoken, Caller]:
        """Active, its program in its first step."""
        session, program = await self.active(coordinator), self.program()
        call = await program.call()
        await start(session)
        assert await told(call) == (True, "continue")
        await stands(session, cell_pb2.STAND_IN_STEP)
        return session, program

    async def deciding(
        self, coordinator: ScriptedCoordinator
    ) -> tuple[Spoken, Caller, Any]:
        """Active, its program waiting at the end of its first step."""
        session, program = await self.working(coordinator)
        await work(session)
        call = await program.call()
        await session.until(lambda: session.windows)
        await stands(session, cell_pb2.STAND_DECIDING)
        return session, program, call


async def start(session: Spoken) -> None:
    """Give leave for the first step; again when it came too late on a busy machine."""
    while not (started := session.of("permit_started")):
        dropped = len(session.of("permit_dropped"))
        await session.permit("START")
        await session.until(
            lambda: (
                len(session.of("permit_dropped")) > dropped  # noqa: B023
                or session.of("permit_started")
            )
        )
    assert len(started) == 1


async def work(session: Spoken) -> None:
    """Let a step last longer than the shortest one: until the second heartbeat."""
    beats, begun_ns = session.last_heartbeat, SystemClock().monotonic_ns()
    await session.until(
        lambda: (
            session.last_heartbeat > beats
            and SystemClock().monotonic_ns() - begun_ns > 2 * SHORTEST_STEP_NS
        )
    )


async def stands(session: Spoken, stand: Any) -> None:
    """Wait until the node says that its robot stands somewhere."""
    await session.until(lambda: session.scene.stand == stand)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def program_config(
    folder: Path, *, port: int, domain: int, program: str = "decide"
) -> Path:
    """The template's cell, with a program that comes for its leave."""
    path = write_config(folder, port=port, domain=domain)
    text = path.read_text(encoding="utf-8")
    assert 'adapter = "topics"' in text
    text = text.replace('adapter = "topics"', f'adapter = "{program}"')
    text = text.replace('step = "step" ', 'step = "insert" ')
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def managed_world(
    folder: Path,
    domain: int,
    *,
    program: str = "decide",
    more: Mapping[str, str] = MappingProxyType({}),
    command: Sequence[str] = NODE_COMMAND,
    python: str = sys.executable,
) -> Iterator[World]:
    """A node that waits for its transitions, with more parameters if wanted."""
    port = free_port()
    config = program_config(folder, port=port, domain=domain, program=program)
    parameters = {
        "config": str(config),
        "cell": "press-1",
        "trace": str(folder / "node.jsonl"),
        "autostart": "false",
        **more,
    }
    with ExitStack() as stack:
        ros = stack.enter_context(spun("robot", domain))

        def start() -> subprocess.Popen[bytes]:
            return stack.enter_context(
                node_process(
                    folder,
                    domain,
                    parameters=parameters,
                    command=command,
                    python=python,
                )
            )

        yield World(folder, ros, port, start)
