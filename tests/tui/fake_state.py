"""What the fake coordinator knows: cells, requests, people. It outlives its server."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.duration_pb2 import Duration

from andon.v1 import operator_pb2, terms_pb2
from tests.tui import fake_windows
from tests.tui.fake_learning import FakeLearning


def duration(seconds: float) -> Duration:
    length = Duration()
    length.FromNanoseconds(round(seconds * 1e9))
    return length


@dataclass
class Asked:
    """One request and what it rests on; the times are monotonic seconds."""

    response: operator_pb2.GetRequestResponse
    deadline_s: float
    claim_until_s: float = 0.0
    undo_until_s: float = 0.0

    @property
    def summary(self) -> operator_pb2.RequestSummary:
        return self.response.summary


@dataclass
class FakeState:
    """Cells, requests and people; its public methods are the test's hands."""

    lease_s: float = 60.0
    undo_s: float = 3.0
    tick_s: float = 0.2
    cells: dict[str, operator_pb2.CellStatus] = field(default_factory=dict)
    since_s: dict[str, float] = field(default_factory=dict)
    requests: dict[str, Asked] = field(default_factory=dict)
    clips: dict[str, bytes] = field(default_factory=dict)
    spoil_clips: int = 0
    replies: dict[tuple[str, str], tuple[bytes, Any]] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)
    nobody: bool = False
    calls: list[str] = field(default_factory=list)
    lose_replies: int = 0
    never_recorded: bool = False
    flood: bool = False
    older: bool = False
    words: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watchers: list[asyncio.Queue[operator_pb2.WatchResponse]] = []
        # The terminal calls no other methods than these.
        self.learning = FakeLearning(self.tell)  # type: ignore[abstract]

    def put_cell(
        self, cell_id: str, state: str, reason: str = "", **facts: Any
    ) -> None:
        """Let a cell enter a state."""
        before = self.cells.get(cell_id, operator_pb2.CellStatus(cell_id=cell_id))
        cell = operator_pb2.CellStatus()
        cell.CopyFrom(before)
        cell.family = "peg"
        cell.state = terms_pb2.CellState.Value(f"CELL_STATE_{state}")
        held = f"HOLD_REASON_{reason or 'UNSPECIFIED'}"
        cell.reason = terms_pb2.HoldReason.Value(held)
        cell.text = facts.pop("text", "")
        for name, fact in facts.items():
            setattr(cell, name, fact)
        if before.state != cell.state:
            self.since_s[cell_id] = time.monotonic()
        self.cells[cell_id] = cell
        self.tell(operator_pb2.WatchResponse(cell=self.cell(cell_id)))

    def ask(
        self,
        cell_id: str,
        cycle: int,
        beliefs: dict[str, float],
        *,
        truth: str = "",
        deadline_s: float = 60.0,
        audit: bool = False,
        priority: int = 1,
    ) -> str:
        """Raise a request about a cell; without beliefs there is no model yet."""
        request_id = f"r-{cell_id}-{cycle}" + ("-audit" if audit else "")
        ranked = sorted(beliefs, key=lambda name: -beliefs[name])
        guess = ranked[0] if ranked else ""
        kinds = (
            operator_pb2.REQUEST_KIND_AUDIT,
            operator_pb2.REQUEST_KIND_QUESTION,
        )
        response = operator_pb2.GetRequestResponse(
            summary=operator_pb2.RequestSummary(
                request_id=request_id,
                cell_id=cell_id,
                family="peg",
                kind=kinds[0 if audit else 1],
                time_allowed=duration(deadline_s),
                on_timeout=terms_pb2.TIMEOUT_OUTCOME_HOLD,
                priority=priority,
                guess=guess,
                reason=_reason(guess, beliefs, audit=audit),
                cycle=cycle,
                part_id=f"A-{1000 + cycle}",
            ),
            window=fake_windows.window(truth or guess or "ok", cycle),
            channels=fake_windows.channels(),
            labels=fake_windows.labels(),
        )
        self._believe(response, truth or guess or "ok", beliefs, ranked)
        evidence = response.SerializeToString(deterministic=True)
        response.view_digest = hashlib.sha256(evidence).hexdigest()
        asked = Asked(response, time.monotonic() + deadline_s)
        self.requests[request_id] = asked
        if not audit:
            self.put_cell(
                cell_id,
                "ASKING",
                text=response.summary.reason,
                request_id=request_id,
                cycle=cycle,
                part_id=response.summary.part_id,
            )
        self.changed(asked)
        return request_id

    def put_clip(self, request_id: str, content: bytes) -> str:
        """Let the full-rate clip of a request arrive."""
        clip_id = f"c-{request_id}"
        self.clips[clip_id] = content
        asked = self.requests[request_id]
        asked.summary.clip_id = clip_id
        self.changed(asked)
        return clip_id

    def forget_claims(self) -> None:
        """What a restart does when claims are leases in memory."""
        for asked in self.requests.values():
            asked.summary.claimed_by = ""
            asked.claim_until_s = 0.0

    def end(self, request_id: str, outcome: str) -> None:
        """Close a request without an answer."""
        asked = self.requests[request_id]
        asked.summary.outcome = terms_pb2.Outcome.Value(f"OUTCOME_{outcome}")
        self.changed(asked)

    def tell(self, change: operator_pb2.WatchResponse) -> None:
        """Say something to everybody who watches."""
        for watcher in self.watchers:
            watcher.put_nowait(change)

    def tell_missed(self, count: int) -> None:
        """Say that the watchers were too slow, and send the whole picture."""
        self.tell(operator_pb2.WatchResponse(missed=count, snapshot=self.snapshot()))

    def tell_presence(self) -> None:
        self.tell(operator_pb2.WatchResponse(presence=self._presence()))

    def answers(self) -> dict[str, str]:
        """The label of every request that was answered."""
        return {
            request_id: asked.summary.label
            for request_id, asked in self.requests.items()
            if asked.summary.outcome == terms_pb2.OUTCOME_ANSWERED
        }

    def _believe(
        self,
        response: operator_pb2.GetRequestResponse,
        shown: str,
        beliefs: dict[str, float],
        ranked: list[str],
    ) -> None:
        actions = {name: action for name, action, _ in fake_windows.LABELS}
        prediction = response.verdict.prediction
        if beliefs:
            prediction.model_digest = "ab" * 32
            prediction.labels.extend(beliefs)
            prediction.probabilities.extend(beliefs.values())
            prediction.confidence = max(beliefs.values())
            prediction.novelty = 0.74
        response.verdict.reason = response.summary.reason
        response.verdict.code = "LOW_CONFIDENCE" if beliefs else "ASK_ALL"
        if not self.older:
            response.summary.code = response.verdict.code
        for label in (ranked or [name for name, _, _ in fake_windows.LABELS])[:4]:
            response.choices.add(
                label=label,
                probability=beliefs.get(label, 0.0),
                action=actions[label],
            )
        first, last = fake_windows.SUSPICIOUS[shown]
        for channel, weight in fake_windows.weights(shown).items():
            response.weights.add(
                channel=channel,
                weight=weight,
                first_row=first,
                last_row=last,
                rows=fake_windows.rows(shown, weight),
            )
        for number, label in enumerate(ranked[:2]):
            response.nearest.add(
                example_id=f"e-{number}",
                label=label,
                distance=0.31 + 0.2 * number,
                window=fake_windows.window(label, 5, seed=number),
            )
        response.why.about = ranked[0] if ranked else ""
        if beliefs:
            response.verdict.measured, response.verdict.limit = (
                max(beliefs.values()),
                0.9,
            )
            response.why.needed, response.why.held_out = 19, 112
            response.why.coverage, response.why.plausible = 0.95, len(ranked)

    def cell(self, cell_id: str) -> operator_pb2.CellStatus:
        cell = operator_pb2.CellStatus()
        cell.CopyFrom(self.cells[cell_id])
        cell.in_state.CopyFrom(duration(time.monotonic() - self.since_s[cell_id]))
        return cell

    def summary(self, asked: Asked) -> operator_pb2.RequestSummary:
        summary = operator_pb2.RequestSummary()
        summary.CopyFrom(asked.summary)
        summary.time_left.CopyFrom(duration(asked.deadline_s - time.monotonic()))
        return summary

    def changed(self, asked: Asked) -> None:
        self.tell(operator_pb2.WatchResponse(request=self.summary(asked)))

    def _presence(self) -> operator_pb2.Presence:
        return operator_pb2.Presence(
            answering=len(self.people),
            people=self.people,
            nobody=self.nobody,
            load=operator_pb2.Load(flood=self.flood, asked_10_min=14),
        )

    def snapshot(self) -> operator_pb2.Snapshot:
        return operator_pb2.Snapshot(
            cells=[self.cell(cell_id) for cell_id in self.cells],
            requests=[
                self.summary(asked)
                for asked in self.requests.values()
                if asked.summary.outcome == terms_pb2.OUTCOME_UNSPECIFIED
            ],
            presence=self._presence(),
            learning=list(self.learning.stands.values()),
            coordinator="0.1.0 fake",
            families=[
                operator_pb2.FamilyInfo(
                    family="peg",
                    channels=fake_windows.channels(),
                    labels=fake_windows.labels(),
                    words={
                        language: operator_pb2.PlantWords(words=spoken)
                        for language, spoken in self.words.items()
                    },
                )
            ],
        )


def _reason(guess: str, beliefs: dict[str, float], *, audit: bool) -> str:
    if audit:
        return "audit sample: was the decision right?"
    if not beliefs:
        return "no model serves yet: everything is asked"
    return f"{guess} at {beliefs[guess]:.2f} is less sure than 0.90"
