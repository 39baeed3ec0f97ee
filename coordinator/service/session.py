"""One session of one cell's node: the outbox towards it and the checks on what it says.

The outbox never blocks the path: control messages are never dropped, notices about
windows give way when the node does not read them.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass

from andon.v1 import cell_pb2, terms_pb2
from coordinator.clock import SECOND_NS, Clock
from coordinator.errors import BadTextError, WindowRefusedError
from coordinator.service import convert
from coordinator.service.timing import Skew, Transit
from coordinator.service.words import clean, from_wire, to_wire
from coordinator.terms import (
    CellId,
    Family,
    HoldReason,
    OperatorRequest,
    Permit,
    RequestId,
    SensorWindow,
    Verdict,
    WindowKind,
    is_id,
    window_digest,
)

MOST_NOTICES = 256
"""Window outcomes that may wait for a node; older ones give way."""
MOST_CONTROL = 1024
"""Control messages that may wait; a node that reads none of them has no session."""
WINDOWS_PER_S = 200.0
"""Windows a session may send in the long run; twice as many at once."""
MOST_WINDOWS_A_MESSAGE = 64
REMEMBERED = 64
"""Windows of a session whose numbers are known, for one that comes once more."""
MESSAGES_PER_S = 500.0
"""Messages of a session that are read in the long run; twice as many at once."""
LARGEST = 2**63 - 1
"""Of every count that a node sends."""
LAST_UTC_S = 253_402_300_799
"""End of the year 9999, s."""


class Allowance:
    """So many a second in the long run, and twice as many at once."""

    def __init__(self, per_s: float, now_ns: int) -> None:
        self._per_s = per_s
        self._left = 2 * per_s
        self._seen_ns = now_ns

    def spend(self, now_ns: int) -> bool:
        """Spend one, if one is left."""
        earned = (now_ns - self._seen_ns) / SECOND_NS * self._per_s
        self._left = min(2 * self._per_s, self._left + earned)
        self._seen_ns = now_ns
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@dataclass(frozen=True, slots=True)
class Caller:
    """The program that asks for a session.

    Attributes:
        node_id: One a process.
        boot_id: Of its machine; "unknown" where it could not say.
        sent_ns: When it asked, monotonic clock of its machine; 0: not told.
    """

    node_id: str
    boot_id: str = ""
    sent_ns: int = 0


class NodeSession:
    """The NodeLink of one session. It lives on the event loop."""

    def __init__(
        self, cell_id: CellId, family: Family, epoch: int, clock: Clock, caller: Caller
    ) -> None:
        self.cell_id = cell_id
        self.caller = caller
        self.rival: Caller | None = None
        """Another program that wants the cell while this session lives."""
        self.last_heard_ns = clock.monotonic_ns()
        self.skew = Skew()
        self.dropped: Counter[str] = Counter()
        self.strikes = 0
        """Refusals since the last window that was taken."""
        self.closed = asyncio.Event()
        self._family = family
        self._epoch = epoch
        self._clock = clock
        self._heartbeat_seq = 0
        self._last_seq = 0
        self._recent: OrderedDict[int, str] = OrderedDict()
        self._transit = Transit()
        self._on_way_ns = 0
        self._windows = Allowance(WINDOWS_PER_S, clock.monotonic_ns())
        self._messages = Allowance(MESSAGES_PER_S, clock.monotonic_ns())
        self._control: deque[cell_pb2.CoordinatorMessage] = deque()
        self._notices: deque[cell_pb2.CoordinatorMessage] = deque()
        self._waiting = asyncio.Event()

    # -- towards the node ------------------------------------------------------------

    @property
    def session_epoch(self) -> int:
        """See NodeLink."""
        return self._epoch

    @property
    def heartbeat_seq(self) -> int:
        """See NodeLink."""
        return self._heartbeat_seq

    def permit(self, permit: Permit) -> None:
        """See NodeLink. A permit does not outlive its session."""
        if not self.closed.is_set():
            self.say(cell_pb2.CoordinatorMessage(permit=convert.permit(permit)))

    def withdraw(self, reason: HoldReason, text: str) -> None:
        """See NodeLink."""
        message = cell_pb2.Withdraw(
            reason=to_wire(reason), text=text, session_epoch=self._epoch
        )
        self.say(cell_pb2.CoordinatorMessage(withdraw=message))

    def reoffer(self) -> None:
        """See NodeLink."""
        message = cell_pb2.Reoffer(session_epoch=self._epoch)
        self.say(cell_pb2.CoordinatorMessage(reoffer=message))

    def want_clip(self, request: OperatorRequest) -> None:
        """See NodeLink. How much around the window is the node's configuration."""
        message = cell_pb2.ClipWanted(
            request_id=request.request_id, window_id=request.window_id
        )
        self.say(cell_pb2.CoordinatorMessage(clip_wanted=message))

    def outcome(
        self, window: SensorWindow, verdict: Verdict, request_id: RequestId | None
    ) -> None:
        """See NodeLink."""
        message = cell_pb2.WindowOutcome(
            window_id=window.window_id,
            seq=window.seq,
            verdict=convert.verdict(verdict, None),
            request_id=request_id or "",
        )
        if len(self._notices) >= MOST_NOTICES:
            self._notices.popleft()
            self.dropped["notice"] += 1
        self._notices.append(cell_pb2.CoordinatorMessage(window_outcome=message))
        self._waiting.set()

    def say(self, message: cell_pb2.CoordinatorMessage) -> None:
        """Put a control message into the outbox; it is never dropped.

        A node that does not read loses its session instead.
        """
        if len(self._control) >= MOST_CONTROL:
            self.close()
            return
        self._control.append(message)
        self._waiting.set()

    async def next(self) -> cell_pb2.CoordinatorMessage | None:
        """Return what to write next, control first; None when it is all said."""
        while True:
            for lane in (self._control, self._notices):
                if lane:
                    return lane.popleft()
            if self.closed.is_set():
                return None
            self._waiting.clear()
            await self._waiting.wait()

    def close(self) -> None:
        """End the session from this side, once what waits is said, permits apart."""
        self.closed.set()
        self._control = deque(m for m in self._control if not m.HasField("permit"))
        self._waiting.set()

    # -- from the node ---------------------------------------------------------------

    def arrived(self, sent_ns: int) -> None:
        """Note how long the message at hand was on its way."""
        now_ns = self._clock.monotonic_ns()
        self._on_way_ns = self._transit.longest_ns(sent_ns, now_ns)

    def floods(self) -> bool:
        """Whether the message at hand is one too many: then nothing is read for now."""
        return not self._messages.spend(self._clock.monotonic_ns())

    def heard(self, seq: int, round_trip_ns: int = 0) -> None:
        """Note a heartbeat; an older one than the newest renews nothing."""
        self.last_heard_ns = self._clock.monotonic_ns()
        self._heartbeat_seq = max(self._heartbeat_seq, seq)
        self._transit.measured(round_trip_ns)

    def take(self, message: terms_pb2.Window) -> SensorWindow | None:
        """Return a window that fits the session; None for one that came twice.

        Raises:
            WindowRefusedError: its shape, number, time or digest does not fit; says
                which, and what was expected.
        """
        if self._in_order(message):
            return None
        self._within_rate()
        kind = from_wire(WindowKind, message.kind)
        if kind is None:
            raise WindowRefusedError("window.kind is required.", "MISSING_FIELD")
        self._named(message)
        self._shaped(message, kind)
        self._timed(message)
        window = convert.sensor_window(
            message,
            cell_id=self.cell_id,
            kind=kind,
            session_epoch=self._epoch,
            received_ns=self._clock.monotonic_ns(),
            on_way_ns=self._on_way_ns,
        )
        told = window_digest(self._family.schema_digest, window.samples, window.present)
        if told != window.digest:
            raise WindowRefusedError(
                "the digest does not match the samples.", "DIGEST_MISMATCH"
            )
        return window

    def _within_rate(self) -> None:
        if not self._windows.spend(self._clock.monotonic_ns()):
            self.dropped["rate_limited"] += 1
            raise WindowRefusedError(
                f"limit {WINDOWS_PER_S:.0f} windows/s.", "RATE_LIMITED"
            )

    def _shaped(self, message: terms_pb2.Window, kind: WindowKind) -> None:
        channels = len(self._family.channels)
        if message.channels != channels:
            raise WindowRefusedError(
                f"{message.channels}, expected {channels}.", "WRONG_CHANNELS"
            )
        rows = (
            self._family.rows
            if kind is WindowKind.DECISION
            else self._family.monitor_rows
        )
        size = rows * channels * 4
        if message.rows != rows or len(message.samples) != size:
            raise WindowRefusedError(
                f"{message.rows} rows in {len(message.samples)} bytes, "
                f"expected {rows} rows in {size} bytes."
            )
        if len(message.present) not in (0, channels):
            raise WindowRefusedError(
                f"presence of {len(message.present)} channels, expected {channels}."
            )

    @staticmethod
    def _named(message: terms_pb2.Window) -> None:
        if not is_id(message.window_id):
            raise WindowRefusedError("ids match [a-z0-9][a-z0-9._-]{0,62}.", "BAD_ID")
        try:
            clean("step", message.step)
            clean("part_id", message.part_id)
        except BadTextError as error:
            raise WindowRefusedError(error.text, error.code) from error
        if message.cycle > LARGEST:
            raise WindowRefusedError(
                f"cycle {message.cycle}, limit {LARGEST}.", "BAD_CYCLE"
            )

    @staticmethod
    def _timed(message: terms_pb2.Window) -> None:
        if message.start_ns < 0 or message.period_ns <= 0:
            raise WindowRefusedError(
                "start_ns must not be negative and period_ns must be positive.",
                "BAD_TIME",
            )
        if not 0 <= message.age.ToNanoseconds() < 2**62:
            raise WindowRefusedError("the age must not be negative.", "BAD_TIME")
        cut_at = message.cut_at
        if not (0 <= cut_at.seconds <= LAST_UTC_S and 0 <= cut_at.nanos < 10**9):
            raise WindowRefusedError("cut_at is no time of this era.", "BAD_TIME")

    def _in_order(self, message: terms_pb2.Window) -> bool:
        """Take note of a number; return whether it is one from before, once more.

        A window that is missing would have been part of the story: nothing is judged
        until the node has said what happened.
        """
        last = self._last_seq
        if self._recent.get(message.seq) == message.window_digest:
            self.dropped["duplicate"] += 1
            return True
        if message.seq > LARGEST:
            raise WindowRefusedError(f"seq {message.seq}, limit {LARGEST}.", "BAD_SEQ")
        if message.seq <= last:
            raise WindowRefusedError(f"seq {message.seq} after {last}.", "SEQ_REUSED")
        self._last_seq = message.seq
        self._recent[message.seq] = message.window_digest
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
        if message.seq != last + 1:
            missing = message.seq - last - 1
            raise WindowRefusedError(
                f"{missing} windows are missing before seq {message.seq}.", "GAP"
            )
        return False
