"""One cell's node without ROS: sensors and steps in, evidence up, permits down.

The conductor owns the order of things: it hands every message and every tick to the
station and carries out what follows, over the uplink and the robot's port. All methods
run on one event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from andon.v1 import cell_pb2, terms_pb2
from ros_nodes import clip_upload, convert
from ros_nodes.called_station import CalledStation
from ros_nodes.clip import Clips, ClipSource
from ros_nodes.clock import SECOND_NS, Clock, boot_id, seconds_to_ns
from ros_nodes.config import CellConfig
from ros_nodes.effects import Effect
from ros_nodes.evidence import Evidence
from ros_nodes.hands import Hands, RobotPort, Surroundings, WindowMessage
from ros_nodes.onlooker import Onlooker
from ros_nodes.permission import Permission
from ros_nodes.station import Station
from ros_nodes.talk import TalkError, read_step
from ros_nodes.terms import HoldReason, StepEvent, StepMoment, new_id
from ros_nodes.trace import Trace
from ros_nodes.uplink import Uplink

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the node says it is."""

    node_id: str
    software: str


class Conductor:
    """Joins one robot and one coordinator.

    Args:
        config: The cell.
        clock: The node's clock.
        robot: The robot.
        trace: Where to write what happened.
        identity: Who the node says it is.
    """

    def __init__(
        self,
        config: CellConfig,
        clock: Clock,
        robot: RobotPort,
        *,
        trace: Trace,
        identity: Identity,
    ) -> None:
        self._config = config
        self._clock = clock
        self._trace = trace
        self._identity = identity
        self.evidence = Evidence(config, clock)
        self.station = _station(config)
        self.link_text = "no session yet"
        """Why there is no session; "" while there is one."""
        self._uplink = Uplink(config.target, self, clock)
        self.clips = Clips(
            ClipSource.of(config, identity.software), clock, self.evidence.dropped
        )
        self._upload = clip_upload.ClipUpload(
            self.clips,
            clip_upload.Surroundings(self._uplink, clock, trace, self._lease_left_ns),
        )
        self._hands = Hands(
            self.station,
            Surroundings(clock, robot, self._uplink, self.evidence, self.clips, trace),
        )
        self._monitor_ns = seconds_to_ns(config.monitor_every_s)
        self._monitor_due_ns = 0
        self._witnessed = (0, "")

    async def run(self) -> None:
        """Hold the robot, then keep the line to the coordinator until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._upload.run(), name="clips")
            await self._hands.run()

    def connect(self) -> None:
        """Seek sessions with the coordinator; what a new conductor does anyway."""
        self._uplink.wake()

    def disconnect(self, text: str) -> None:
        """Hold the robot, end the session and seek none until told to connect."""
        self._trace.write("disconnect", text=text)
        now_ns = self._clock.monotonic_ns()
        self.carry_out(self.station.withdrawn(HoldReason.LINK_LOST, text, now_ns))
        self.rest(text)

    def rest(self, text: str) -> None:
        """Seek no session until told to connect; disconnect holds the robot as well."""
        self.link_text = text
        self._uplink.rest(text)

    @property
    def dropped(self) -> Counter[str]:
        """What was lost, refused or left out since the node began, by reason."""
        return self.evidence.dropped + self._uplink.dropped

    def carry_out(self, following: Sequence[Effect]) -> None:
        """Do what follows from an event at the station."""
        self._hands.carry_out(following)

    # --------------------------------------------------------------------- the robot

    def step_said(self, text: str) -> None:
        """The robot's program said something about a step."""
        try:
            event = read_step(text)
        except TalkError as error:
            self.evidence.dropped["malformed_step"] += 1
            self._trace.write("step_refused", text=str(error))
            _log.warning("steps: %s", error)
            return
        self.step(replace(event, stamp_ns=self.evidence.place(event.stamp_ns)))

    def step(self, event: StepEvent) -> None:
        """A step begins or ends; the stamp is on the node's monotonic clock."""
        now_ns = self._clock.monotonic_ns()
        self._trace.write(
            event.moment.value,
            cycle=event.cycle,
            part_id=event.part_id,
            stamp_ns=event.stamp_ns,
            permit_id=event.permit_id,
        )
        # What ran out while nobody looked ran out before this is judged: a node that
        # slept lost its link, and its robot did nothing wrong.
        self._hands.carry_out(self.station.ticked(now_ns, heard_ns=now_ns))
        if event.moment is StepMoment.BEGIN:
            self._hands.carry_out(self.station.began(event, now_ns))
        else:
            self._hands.carry_out(self.station.ended(event, now_ns))

    def tick(self) -> None:
        """Let time pass; call it every few milliseconds, after the samples."""
        self._hands.look()
        now_ns = self._clock.monotonic_ns()
        self._hands.ticked(now_ns)
        self._hands.cut_if_due(now_ns)
        self._hands.carry_out(
            self.station.ticked(
                now_ns,
                heard_ns=self.evidence.heard_until_ns,
                positions=self._hands.positions(),
            )
        )
        self._hands.beat_if_due(now_ns)
        self.clips.tick(now_ns)
        if self._monitor_ns and now_ns >= self._monitor_due_ns:
            self._monitor(now_ns)

    def overdue(self, now_ns: int) -> bool:
        """Whether the robot may move although the lease ran out a while ago.

        True only when the event loop itself hangs. Safe to call from another thread: it
        reads and changes nothing.
        """
        permission = self.station.permission
        until_ns = permission.lease_until_ns
        return (
            permission.executing is not None
            and until_ns is not None
            and now_ns > until_ns + SECOND_NS // 10
        )

    def _lease_left_ns(self) -> int | None:
        """What is left of the lease; None without a session."""
        permission = self.station.permission
        until_ns = permission.lease_until_ns
        if until_ns is None or not permission.session_open:
            return None
        return until_ns - self._clock.monotonic_ns()

    def _monitor(self, now_ns: int) -> None:
        self._monitor_due_ns = now_ns + self._monitor_ns
        heard_ns = self.evidence.heard_until_ns
        if heard_ns is None:
            return
        work = self.station.work_so_far(
            since_ns=heard_ns - self._monitor_ns, until_ns=heard_ns
        )
        if work is not None:
            window = self.evidence.cut(work)
            self._uplink.offer_monitor(
                WindowMessage(
                    self._clock,
                    self._trace,
                    window,
                    window.scene_ns,
                    offered_again=False,
                )
            )

    # --------------------------------------------------------------- the coordinator

    def hello(self) -> cell_pb2.NodeMessage:
        """See uplink.Listener."""
        seq, head = self._witnessed
        self.station.permission.greet(self._clock.monotonic_ns())
        return cell_pb2.NodeMessage(
            hello=cell_pb2.Hello(
                cell_id=self._config.cell_id,
                node_id=self._identity.node_id,
                boot_id=boot_id(),
                schema_digest=self._config.schema_digest,
                channels=[channel.name for channel in self._config.channels],
                scene=convert.scene_message(self.station.scene),
                software=self._identity.software,
                journal_seq=seq,
                journal_head=head,
            )
        )

    def lost(self, text: str) -> None:
        """See uplink.Listener."""
        self._hands.stop_beating()
        was_open = self.station.permission.session_open
        self.link_text = text
        self._trace.write("session_lost", text=text, was_open=was_open)
        self._hands.carry_out(self.station.closed(text, self._clock.monotonic_ns()))

    def received(self, message: cell_pb2.CoordinatorMessage) -> None:
        """See uplink.Listener."""
        now_ns = self._clock.monotonic_ns()
        match message.WhichOneof("message"):
            case "heartbeat_ack":
                self._acked(message.heartbeat_ack, now_ns)
            case "permit":
                self._hands.look()
                self._permit(message, now_ns)
            case "welcome":
                self._welcome(message.welcome, now_ns)
            case "withdraw":
                reason = convert.reason_value(message.withdraw.reason)
                text = message.withdraw.text
                self._trace.write("withdraw", reason=reason.value, text=text)
                self._hands.carry_out(self.station.withdrawn(reason, text, now_ns))
            case "draining":
                text = "the coordinator is about to stop"
                self._trace.write("draining")
                self._hands.carry_out(
                    self.station.withdrawn(HoldReason.LINK_LOST, text, now_ns)
                )
            case "reoffer":
                self._reoffer(message.reoffer, now_ns)
            case "clip_wanted":
                wanted = convert.wanted_value(message.clip_wanted)
                kept = self.clips.want(wanted)
                self._trace.write("clip_wanted", window_id=wanted.window_id, kept=kept)
            case _:
                self._note(message)

    def _welcome(self, welcome: cell_pb2.Welcome, now_ns: int) -> None:
        self._trace.write("session_open", epoch=welcome.session_epoch)
        self._witnessed = (welcome.journal_seq, welcome.journal_head)
        self.link_text = ""
        self._hands.beat_every(convert.duration_ns(welcome.heartbeat_period))
        self._hands.carry_out(
            self.station.opened(
                epoch=welcome.session_epoch,
                store_id=welcome.store_id,
                lease_ns=convert.duration_ns(welcome.lease),
                now_ns=now_ns,
            )
        )

    def _acked(self, ack: cell_pb2.HeartbeatAck, now_ns: int) -> None:
        self._trace.write("ack", seq=ack.seq, epoch=ack.session_epoch)
        self.station.permission.acked(
            seq=ack.seq, epoch=ack.session_epoch, now_ns=now_ns
        )
        if ack.reason == terms_pb2.HOLD_REASON_SAFETY_STOP_SEEN:
            self._hands.carry_out(self.station.safety_stop_remembered())

    def _permit(self, message: cell_pb2.CoordinatorMessage, now_ns: int) -> None:
        try:
            permit = convert.permit_value(message.permit)
        except convert.UnusablePermitError as error:
            self._trace.write("permit_unusable", text=str(error))
            _log.error("%s", error)
            return
        pending = self.station.pending
        self._trace.write(
            "permit_received",
            permit_id=permit.permit_id,
            purpose=permit.purpose.value,
            action=permit.action.value,
            cycle=permit.cycle,
            epoch=permit.session_epoch,
            since_cut_ns=None if pending is None else now_ns - pending.cut_ns,
        )
        self._hands.carry_out(
            self.station.offered(permit, now_ns, self._hands.positions())
        )

    def _reoffer(self, reoffer: cell_pb2.Reoffer, now_ns: int) -> None:
        self._trace.write("reoffer", epoch=reoffer.session_epoch)
        if reoffer.session_epoch == self.station.permission.epoch:
            self._hands.carry_out(self.station.reoffer(now_ns, self._hands.positions()))

    def _note(self, message: cell_pb2.CoordinatorMessage) -> None:
        """Write down what changes nothing at the node."""
        match message.WhichOneof("message"):
            case "window_outcome":
                outcome = message.window_outcome
                self._trace.write(
                    "window_outcome",
                    window_id=outcome.window_id,
                    decision=int(outcome.verdict.decision),
                    code=outcome.verdict.code,
                    request_id=outcome.request_id,
                )
            case "refusal":
                refusal = message.refusal
                self._trace.write(
                    "refusal",
                    token=refusal.token,
                    text=refusal.text,
                    window_id=refusal.window_id,
                )
                _log.warning("refused: %s: %s", refusal.token, refusal.text)
            case kind:
                self._trace.write("ignored", kind=str(kind))


def _station(config: CellConfig) -> Station:
    """Make the station: watching, or with a program that is sent or fetches leave."""
    permission = Permission(maximum_execution_ns=seconds_to_ns(config.maximum_step_s))
    if config.ros.robot.adapter == "none":
        return Onlooker(permission)
    if config.ros.program.adapter == "topics":
        return Station(permission)
    return CalledStation(permission)


def new_identity(software: str) -> Identity:
    """Return the identity of this node process."""
    return Identity(new_id("node"), software)
