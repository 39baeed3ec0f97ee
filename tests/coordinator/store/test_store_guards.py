"""What must hold before an event may change anything; refused, it leaves no trace."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import (
    AlreadyDoneError,
    AnswerWaitsError,
    ConflictError,
    IllegalTransitionError,
    KeyReusedError,
    LookAloneError,
    NotFoundError,
    NotYourClaimError,
    PromotionRefusedError,
    RequestClaimedError,
    RequestClosedError,
    StaleEpochError,
)
from coordinator.store import Store
from coordinator.store.codec import KINDS
from coordinator.store.fold import FOLDS
from coordinator.terms import (
    Action,
    CellEvent,
    CellId,
    CellState,
    ClipId,
    Decision,
    DecisionId,
    ExampleId,
    HoldReason,
    Label,
    ModelState,
    Outcome,
    PermitId,
    RequestId,
    RequestKind,
    WindowId,
)
from coordinator.terms import events as e
from tests.coordinator.store.store_world import (
    ANA,
    BEN,
    CELL,
    CLIP,
    NOON,
    PEG,
    answered,
    claimed,
    clip,
    consumed,
    decided,
    digest,
    ended,
    example,
    make_window,
    once,
    opened,
    permit,
    promoted,
    registered,
    released,
    session,
    validated,
)

START: dict[str, Any] = {
    "label": "",
    "window_digest": "",
    "decision_id": DecisionId("release-1"),
}


async def refuse(
    store: Store, *events: e.Event, error: type[Exception], text: str
) -> None:
    """Commit, and see that the refusal left everything as it was."""
    before = await store.head()

    with pytest.raises(error) as refused:
        await store.commit(*events)

    assert text in str(refused.value)
    assert await store.head() == before


@pytest.fixture
async def asked(in_memory: Store) -> Store:
    await in_memory.commit(session())
    await in_memory.commit(decided(), opened(), window=make_window())
    return in_memory


def test_every_event_says_what_it_changes() -> None:
    assert set(FOLDS) == set(KINDS.values())


class TestSessions:
    @pytest.mark.parametrize("epoch", [-1, 0, 4, 5])
    async def test_an_epoch_that_does_not_rise_is_stale(
        self, in_memory: Store, epoch: int
    ) -> None:
        await in_memory.commit(session(5))

        await refuse(
            in_memory,
            session(epoch),
            error=StaleEpochError,
            text=f"{epoch}, current 5.",
        )

    async def test_the_first_epoch_is_one(self, in_memory: Store) -> None:
        await refuse(in_memory, session(0), error=StaleEpochError, text="0, current 0.")

    @pytest.mark.parametrize(
        "late",
        [
            decided(epoch=1),
            e.CellMoved(CELL, 1, CellEvent.ACT, CellState.DECIDING, CellState.WORKING),
        ],
        ids=lambda event: type(event).__name__,
    )
    async def test_nothing_of_an_old_session_moves_the_cell(
        self, in_memory: Store, late: e.Event
    ) -> None:
        await in_memory.commit(session(1), session(2))

        await refuse(in_memory, late, error=StaleEpochError, text="1, current 2.")

    async def test_the_end_of_an_old_session_is_still_recorded(
        self, in_memory: Store
    ) -> None:
        await in_memory.commit(session(1), session(2))
        await in_memory.commit(e.SessionClosed(CELL, 1, "stream ended."))

        assert (await in_memory.head()).seq == 3


class TestPermits:
    async def test_an_act_gives_leave_for_one_step(self, in_memory: Store) -> None:
        await in_memory.commit(session(), decided(1, Decision.ACT), permit())
        await in_memory.commit(consumed())

        await refuse(
            in_memory, consumed(), error=IllegalTransitionError, text="already consumed"
        )
        await refuse(
            in_memory,
            permit(permit_id=PermitId("p-2")),
            error=IllegalTransitionError,
            text="already begun",
        )

    async def test_a_release_gives_leave_to_start(self, in_memory: Store) -> None:
        await in_memory.commit(session(), released(), permit(**START))

        assert (await in_memory.head()).seq == 3

    async def test_an_answer_gives_leave_under_a_later_session(
        self, asked: Store
    ) -> None:
        await asked.commit(claimed())
        await asked.commit(answered(label="ok"))
        await asked.commit(session(2))
        await asked.commit(permit(session_epoch=2))
        await asked.commit(consumed(epoch=2))

        assert (await asked.head()).seq == 8

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            pytest.param({"action": Action.STOP}, "never carries stop", id="stop"),
            pytest.param(
                {"decision_id": DecisionId("d-9")}, "on record", id="no-decision"
            ),
            pytest.param({"cell_id": CellId("press-2")}, "another cell", id="cell"),
            pytest.param({"window_digest": digest("x")}, "another window", id="window"),
            pytest.param({"window_digest": ""}, "another window", id="no-window"),
            pytest.param({"session_epoch": 2}, "another session", id="session"),
            pytest.param({"label": "slip"}, "the decision was ok", id="label"),
        ],
    )
    async def test_a_permit_says_what_was_decided(
        self, in_memory: Store, changes: dict[str, Any], text: str
    ) -> None:
        await in_memory.commit(session(), decided(1, Decision.ACT))

        await refuse(
            in_memory, permit(**changes), error=IllegalTransitionError, text=text
        )

    @pytest.mark.parametrize("decision", [Decision.ASK, Decision.HOLD])
    async def test_a_verdict_that_does_not_act_gives_nothing(
        self, in_memory: Store, decision: Decision
    ) -> None:
        await in_memory.commit(session(), decided(1, decision))

        await refuse(
            in_memory,
            permit(),
            error=IllegalTransitionError,
            text="nobody has answered",
        )

    @pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.CANCELLED])
    async def test_a_question_that_ended_without_an_answer_gives_nothing(
        self, asked: Store, outcome: Outcome
    ) -> None:
        await asked.commit(ended(outcome=outcome))

        await refuse(
            asked, permit(), error=IllegalTransitionError, text="nobody has answered"
        )

    async def test_an_answered_audit_gives_nothing(self, in_memory: Store) -> None:
        await in_memory.commit(
            session(),
            decided(1, Decision.ASK),
            opened(kind=RequestKind.AUDIT),
            window=make_window(),
        )
        await in_memory.commit(claimed())
        await in_memory.commit(answered(label="ok"))

        await refuse(
            in_memory,
            permit(),
            error=IllegalTransitionError,
            text="nobody has answered",
        )

    async def test_a_permit_carries_the_label_that_was_answered(
        self, asked: Store
    ) -> None:
        await asked.commit(claimed())
        await asked.commit(answered(label="slip"))

        await refuse(
            asked, permit(), error=IllegalTransitionError, text="the answer was slip"
        )

    async def test_a_release_disposes_of_a_waiting_part_as_it_says(
        self, in_memory: Store
    ) -> None:
        rework = replace(
            released(),
            disposition=Action.REWORK.value,
            window_digest=make_window().digest,
        )
        disposed = {"label": "", "decision_id": rework.decision_id}
        await in_memory.commit(session(), rework)

        await refuse(
            in_memory,
            permit(**disposed, action=Action.CONTINUE),
            error=IllegalTransitionError,
            text="says otherwise of this part",
        )
        await refuse(
            in_memory,
            permit(**disposed, action=Action.REWORK, window_digest=digest("x")),
            error=IllegalTransitionError,
            text="about another window",
        )
        await in_memory.commit(permit(**disposed, action=Action.REWORK))

    async def test_a_permit_for_an_old_session_is_not_issued(
        self, in_memory: Store
    ) -> None:
        await in_memory.commit(session(), decided(1, Decision.ACT), session(2))

        await refuse(in_memory, permit(), error=StaleEpochError, text="1, current 2.")

    async def test_a_permit_id_is_used_once(self, in_memory: Store) -> None:
        await in_memory.commit(session(), decided(1, Decision.ACT), permit())

        await refuse(
            in_memory, permit(), error=IllegalTransitionError, text="already issued"
        )

    async def test_a_dropped_permit_is_not_used_and_may_be_replaced(
        self, in_memory: Store
    ) -> None:
        await in_memory.commit(session(), decided(1, Decision.ACT), permit())
        await in_memory.commit(
            e.PermitDropped(PermitId("p-1"), CELL, 1, "EXPIRED", "too late.")
        )
        await refuse(
            in_memory, consumed(), error=IllegalTransitionError, text="already dropped"
        )

        await in_memory.commit(permit(permit_id=PermitId("p-2")))
        await in_memory.commit(e.PermitConsumed(PermitId("p-2"), CELL, 1))

    async def test_a_used_permit_that_is_called_dropped_stays_used(
        self, in_memory: Store
    ) -> None:
        await in_memory.commit(session(), decided(1, Decision.ACT), permit())
        await in_memory.commit(consumed())
        await in_memory.commit(
            e.PermitDropped(PermitId("p-1"), CELL, 1, "EXPIRED", "too late.")
        )

        for again in (consumed(), permit(permit_id=PermitId("p-2"))):
            await refuse(in_memory, again, error=IllegalTransitionError, text="already")

    async def test_of_two_permits_for_one_step_one_is_used(
        self, in_memory: Store
    ) -> None:
        await in_memory.commit(
            session(),
            decided(1, Decision.ACT),
            permit(),
            permit(permit_id=PermitId("p-2")),
        )
        await in_memory.commit(consumed())

        await refuse(
            in_memory,
            e.PermitConsumed(PermitId("p-2"), CELL, 1),
            error=IllegalTransitionError,
            text="already begun",
        )

    @pytest.mark.parametrize(
        ("event", "error"),
        [
            (e.PermitConsumed(PermitId("p-9"), CELL, 1), IllegalTransitionError),
            (
                e.PermitConsumed(PermitId("p-1"), CellId("press-2"), 1),
                IllegalTransitionError,
            ),
            (e.PermitConsumed(PermitId("p-1"), CELL, 2), StaleEpochError),
        ],
        ids=["never-issued", "other-cell", "other-session"],
    )
    async def test_only_an_issued_permit_is_consumed(
        self, in_memory: Store, event: e.Event, error: type[Exception]
    ) -> None:
        await in_memory.commit(session(), decided(1, Decision.ACT), permit())

        await refuse(in_memory, event, error=error, text="")

    async def test_a_decision_id_is_used_once(self, in_memory: Store) -> None:
        await in_memory.commit(session(), decided())
        release = replace(released(), decision_id=DecisionId("d-1"))

        for again in (decided(), release):
            await refuse(
                in_memory, again, error=IllegalTransitionError, text="already made"
            )


class TestClips:
    async def test_a_clip_needs_its_request(self, in_memory: Store) -> None:
        await refuse(in_memory, clip(), error=NotFoundError, text="no request r-1")

    @pytest.mark.parametrize(
        "changes", [{"window_id": WindowId("w-2")}, {"cell_id": CellId("press-2")}]
    )
    async def test_a_clip_is_around_the_window_that_is_asked_about(
        self, asked: Store, changes: dict[str, Any]
    ) -> None:
        await refuse(
            asked, clip(**changes), error=IllegalTransitionError, text="is not about"
        )

    async def test_a_window_has_one_clip(self, asked: Store) -> None:
        await asked.commit(clip())

        for again in (clip(), clip(clip_id=ClipId("c-9"))):
            await refuse(
                asked, again, error=IllegalTransitionError, text="has a clip already"
            )

    async def test_a_clip_may_come_when_the_request_has_ended(
        self, asked: Store
    ) -> None:
        await asked.commit(ended())
        await asked.commit(clip())

        assert (await asked.clip(ClipId("c-1"))).bytes == len(CLIP)

    async def test_a_clip_of_an_open_request_stays(self, asked: Store) -> None:
        await asked.commit(clip())
        gone = e.ClipRemoved(ClipId("c-1"), WindowId("w-1"), "no room.")

        await refuse(asked, gone, error=ConflictError, text="an open request")
        await asked.commit(ended())
        await asked.commit(gone)
        await refuse(asked, gone, error=NotFoundError, text="no clip c-1")

    async def test_a_clip_stays_while_the_question_goes_up_a_level(
        self, asked: Store
    ) -> None:
        up = e.RequestOpened(
            replace(opened().request, request_id=RequestId("r-up"), level=1)
        )
        await asked.commit(clip())
        await asked.commit(ended(), up)

        await refuse(
            asked,
            e.ClipRemoved(ClipId("c-1"), WindowId("w-1"), "no room."),
            error=ConflictError,
            text="an open request",
        )
        assert (await asked.request(RequestId("r-up"))).clip_id == "c-1"


class TestRequests:
    async def test_a_request_needs_its_decision(self, in_memory: Store) -> None:
        await refuse(
            in_memory, opened(), error=IllegalTransitionError, text="needs the decision"
        )

    async def test_a_request_asks_about_the_window_that_was_decided(
        self, in_memory: Store
    ) -> None:
        await in_memory.commit(session(), decided(), window=make_window())

        for other in ({"window_digest": digest("x")}, {"window_id": WindowId("w-2")}):
            await refuse(
                in_memory,
                opened(**other),
                error=IllegalTransitionError,
                text="needs the decision",
            )

    async def test_a_request_needs_its_window_kept(self, in_memory: Store) -> None:
        await in_memory.commit(session(), decided())

        await refuse(
            in_memory, opened(), error=IllegalTransitionError, text="window kept"
        )

    @pytest.mark.parametrize(
        "changes", [{"outcome": Outcome.ANSWERED}, {"claim_epoch": 3}]
    )
    async def test_a_request_starts_open_and_free(
        self, in_memory: Store, changes: dict[str, Any]
    ) -> None:
        await in_memory.commit(session(), decided(), window=make_window())

        await refuse(
            in_memory,
            opened(**changes),
            error=IllegalTransitionError,
            text="opened open",
        )

    async def test_a_request_id_is_used_once(self, asked: Store) -> None:
        await refuse(
            asked, opened(), error=IllegalTransitionError, text="already opened"
        )

    @pytest.mark.parametrize("epoch", [0, 1, 3])
    async def test_a_claim_carries_the_next_epoch(
        self, asked: Store, epoch: int
    ) -> None:
        await asked.commit(claimed())

        await refuse(
            asked,
            claimed(claim_epoch=epoch),
            error=StaleEpochError,
            text=f"{epoch - 1}, current 1.",
        )

    async def test_what_was_not_looked_at_gets_what_the_one_shown_got(
        self, asked: Store
    ) -> None:
        two = make_window(2)
        await asked.commit(decided(2), opened(2), window=two)
        await asked.commit(claimed(), claimed(2))
        unseen = replace(answered(2), shown=RequestId("r-1"))
        refusal: dict[str, Any] = {"error": LookAloneError, "text": "not what was said"}

        await refuse(asked, unseen, **refusal)
        await refuse(asked, e.AnswerGiven(unseen, 1), **refusal)
        await asked.commit(e.AnswerGiven(answered(label="ok"), 1))
        await refuse(asked, e.AnswerGiven(unseen, 1), **refusal)
        await asked.commit(e.AnswerUndone(RequestId("r-1"), ANA))
        await asked.commit(answered())
        await asked.commit(unseen)

    async def test_while_an_answer_waits_no_other_is_given(self, asked: Store) -> None:
        await asked.commit(claimed())
        await asked.commit(e.AnswerGiven(answered(), 1))

        for label in ("slip", "ok"):
            await refuse(
                asked,
                e.AnswerGiven(answered(label=label), 1),
                error=AnswerWaitsError,
                text="ana answered slip, and may still take it back.",
            )

    async def test_a_person_may_leave_one_question_to_others_twice(
        self, asked: Store
    ) -> None:
        for epoch in (1, 2):
            await asked.commit(claimed(claim_epoch=epoch))
            await asked.commit(e.RequestSkipped(RequestId("r-1"), ANA, epoch))

        stored = await asked.request(RequestId("r-1"))
        assert (stored.claimed_by, stored.skipped_by) == ("", ("ana",))

    async def test_a_claim_of_somebody_else_is_named(self, asked: Store) -> None:
        await asked.commit(claimed())

        await refuse(
            asked,
            claimed(actor=BEN, claim_epoch=2),
            error=RequestClaimedError,
            text="claimed by ana.",
        )

    async def test_a_claim_may_be_taken_over_by_name(self, asked: Store) -> None:
        await asked.commit(claimed())
        await asked.commit(claimed(1, BEN, 2, taken_from=ANA.person))

        await refuse(asked, answered(), error=StaleEpochError, text="1, current 2.")
        await asked.commit(answered(1, BEN, 2))

    async def test_a_claim_that_ended_cannot_answer(self, asked: Store) -> None:
        await asked.commit(claimed())
        await asked.commit(e.ClaimEnded(RequestId("r-1"), 1, "ran out."))

        await refuse(
            asked, answered(), error=NotYourClaimError, text="nobody has claimed it"
        )
        await refuse(
            asked,
            e.ClaimEnded(RequestId("r-1"), 1, "again."),
            error=NotYourClaimError,
            text="nobody has claimed it",
        )
        await asked.commit(claimed(1, BEN, 2))

    async def test_an_answer_under_an_older_claim_of_ones_own_is_stale(
        self, asked: Store
    ) -> None:
        await asked.commit(claimed())
        await asked.commit(claimed(claim_epoch=2))

        await refuse(asked, answered(), error=StaleEpochError, text="1, current 2.")

    async def test_only_the_current_claim_ends(self, asked: Store) -> None:
        await asked.commit(claimed())
        await asked.commit(claimed(claim_epoch=2))

        await refuse(
            asked,
            e.ClaimEnded(RequestId("r-1"), 1, "ran out."),
            error=StaleEpochError,
            text="1, current 2.",
        )

    async def test_an_answer_needs_a_claim(self, asked: Store) -> None:
        await refuse(
            asked,
            answered(claim_epoch=0),
            error=NotYourClaimError,
            text="needs a claim",
        )

    async def test_an_answer_under_the_claim_of_another_is_refused(
        self, asked: Store
    ) -> None:
        await asked.commit(claimed())

        await refuse(
            asked,
            answered(actor=BEN),
            error=RequestClaimedError,
            text="claimed by ana.",
        )

    @pytest.mark.parametrize(
        ("outcome", "text"),
        [
            (Outcome.TIMED_OUT, "timed out at 12:03:10 UTC."),
            (Outcome.CANCELLED, "cancelled at 12:03:10 UTC."),
            (Outcome.SUPERSEDED, "superseded at 12:03:10 UTC."),
        ],
    )
    async def test_a_request_that_ended_says_how_and_when(
        self, asked: Store, clock: ManualClock, outcome: Outcome, text: str
    ) -> None:
        await asked.commit(claimed())
        clock.advance(timedelta(minutes=3, seconds=10))
        await asked.commit(ended(outcome=outcome))

        for late in (
            answered(),
            claimed(claim_epoch=2),
            e.ClaimEnded(RequestId("r-1"), 1, "ran out."),
            ended(),
        ):
            await refuse(asked, late, error=RequestClosedError, text=text)

    async def test_an_answer_is_final(self, asked: Store) -> None:
        await asked.commit(claimed())
        await asked.commit(answered())

        for late in (answered(label="ok"), ended()):
            await refuse(
                asked, late, error=RequestClosedError, text="answered at 12:00:00 UTC."
            )

    @pytest.mark.parametrize("outcome", [Outcome.OPEN, Outcome.ANSWERED])
    async def test_only_an_answer_answers(self, asked: Store, outcome: Outcome) -> None:
        await refuse(
            asked,
            ended(outcome=outcome),
            error=IllegalTransitionError,
            text="without an answer",
        )

    @pytest.mark.parametrize(
        "event", [answered(9), claimed(9), ended(9)], ids=lambda e: type(e).__name__
    )
    async def test_a_request_nobody_opened_is_not_found(
        self, asked: Store, event: e.Event
    ) -> None:
        await refuse(asked, event, error=NotFoundError, text="no request r-9")

    async def test_a_request_belongs_to_its_cell(self, asked: Store) -> None:
        await asked.commit(claimed())

        for event in (answered(), ended()):
            await refuse(
                asked,
                replace(event, cell_id=CellId("press-2")),
                error=NotFoundError,
                text="press-2 has no request",
            )

    async def test_looking_twice_changes_nothing(
        self, asked: Store, clock: ManualClock
    ) -> None:
        await asked.commit(e.RequestSeen(RequestId("r-1"), ANA))
        clock.advance(timedelta(seconds=5))
        await asked.commit(e.RequestSeen(RequestId("r-1"), BEN))

        assert (await asked.request(RequestId("r-1"))).seen_at == NOON


class TestLearning:
    async def test_an_example_needs_its_window(self, in_memory: Store) -> None:
        await refuse(
            in_memory, example(), error=IllegalTransitionError, text="window kept"
        )

    async def test_an_example_is_added_once(self, in_memory: Store) -> None:
        await in_memory.commit(example(), window=make_window())

        await refuse(
            in_memory, example(), error=IllegalTransitionError, text="already added"
        )

    @pytest.mark.parametrize(
        "event",
        [
            e.ExampleQuarantined(ExampleId("e-9"), "why"),
            e.ExampleRetracted(ExampleId("e-9"), ANA),
        ],
        ids=lambda event: type(event).__name__,
    )
    async def test_an_example_nobody_added_is_not_found(
        self, in_memory: Store, event: e.Event
    ) -> None:
        await refuse(in_memory, event, error=NotFoundError, text="no example e-9")

    async def test_a_label_is_added_once_a_family(self, in_memory: Store) -> None:
        added = e.LabelAdded(PEG, Label("dent", Action.REJECT), ANA)
        await in_memory.commit(added)

        await refuse(
            in_memory, added, error=IllegalTransitionError, text="already has a label"
        )

    @pytest.mark.parametrize("same", [{"version": 1}, {"digest": digest("model 1")}])
    async def test_a_model_has_its_own_number_and_weights(
        self, in_memory: Store, same: dict[str, Any]
    ) -> None:
        await in_memory.commit(registered(1))

        await refuse(
            in_memory,
            registered(2, **same),
            error=IllegalTransitionError,
            text="already has a model",
        )

    async def test_a_model_starts_as_a_candidate(self, in_memory: Store) -> None:
        await refuse(
            in_memory,
            registered(1, state=ModelState.LIVE),
            error=IllegalTransitionError,
            text="as a candidate",
        )

    async def test_a_model_that_was_not_validated_may_not_serve(
        self, in_memory: Store
    ) -> None:
        await in_memory.commit(registered(1))
        await refuse(
            in_memory, promoted(1), error=PromotionRefusedError, text="it is candidate"
        )

        await in_memory.commit(
            e.ModelRefused(digest("model 1"), PEG, ("worse on slip.",))
        )
        await refuse(
            in_memory, promoted(1), error=PromotionRefusedError, text="it is refused"
        )

    async def test_one_model_serves_a_family(self, in_memory: Store) -> None:
        await in_memory.commit(registered(1), validated(1), promoted(1))
        await in_memory.commit(registered(2), validated(2))

        await refuse(
            in_memory,
            promoted(2),
            error=PromotionRefusedError,
            text="version 1 serves peg now",
        )

    async def test_a_rollback_names_the_model_that_serves(
        self, in_memory: Store
    ) -> None:
        await in_memory.commit(registered(1), validated(1))
        back = e.ModelRolledBack(digest("model 1"), PEG, digest("model 2"), ANA)
        await refuse(
            in_memory, back, error=PromotionRefusedError, text="no model serves peg now"
        )

        await in_memory.commit(promoted(1))
        await refuse(
            in_memory, back, error=PromotionRefusedError, text="has no such model"
        )

    async def test_a_model_that_served_is_not_judged_again(
        self, in_memory: Store
    ) -> None:
        await in_memory.commit(registered(1), validated(1), promoted(1))

        await refuse(
            in_memory, validated(1), error=IllegalTransitionError, text="already live"
        )
        await refuse(in_memory, validated(7), error=NotFoundError, text="no such model")


class TestCalls:
    async def test_a_repeated_call_gets_the_first_reply_and_changes_nothing(
        self, store: Store
    ) -> None:
        await store.commit(session(1), once=once(), reply="epoch 1")

        with pytest.raises(AlreadyDoneError) as refused:
            await store.commit(session(2), once=once(), reply="epoch 2")

        assert refused.value.reply == "epoch 1"
        assert (await store.head()).seq == 1

    async def test_a_key_used_for_another_call_is_refused(self, store: Store) -> None:
        await store.commit(session(1), once=once(), reply="epoch 1")

        with pytest.raises(KeyReusedError):
            await store.commit(session(2), once=once(content="other"))
        await store.commit(session(2), once=once(by=BEN, content="other"))

    async def test_the_key_is_looked_at_before_any_guard(self, asked: Store) -> None:
        await asked.commit(claimed())
        await asked.commit(answered(), once=once(), reply="thanks")

        with pytest.raises(AlreadyDoneError):
            await asked.commit(answered(), once=once())

    async def test_a_refused_call_may_be_tried_again(self, asked: Store) -> None:
        with pytest.raises(ConflictError):
            await asked.commit(answered(), once=once(), reply="thanks")
        await asked.commit(claimed())
        await asked.commit(answered(), once=once(), reply="thanks")

        assert await asked.replied(once()) == "thanks"


class TestWindows:
    async def test_the_same_evidence_may_come_again(self, store: Store) -> None:
        again = replace(make_window(), session_epoch=2, offered_again=True)
        await store.commit(decided(), window=make_window())
        await store.commit(
            replace(decided(), decision_id=DecisionId("d-2")), window=again
        )

        assert (await store.window(WindowId("w-1"))).session_epoch == 1

    async def test_a_window_id_stands_for_one_evidence(self, store: Store) -> None:
        await store.commit(decided(1), window=make_window())
        other = replace(make_window(), digest=digest("other"))

        with pytest.raises(IllegalTransitionError, match="with other samples"):
            await store.commit(decided(2), window=other)
        assert (await store.head()).seq == 1

    async def test_samples_without_a_shape_are_refused(self, store: Store) -> None:
        flat = replace(make_window(), samples=make_window().samples.reshape(-1))

        with pytest.raises(ValueError, match="samples by channels"):
            await store.commit(decided(), window=flat)

    async def test_a_commit_records_something(self, store: Store) -> None:
        with pytest.raises(ValueError, match="needs an event"):
            await store.commit(window=make_window())


async def test_all_of_a_commit_is_refused_when_its_last_event_is(store: Store) -> None:
    await store.commit(session())
    hold = e.HoldPlaced(CELL, HoldReason.OPERATOR_HOLD, "pulled.", ANA)

    with pytest.raises(NotFoundError):
        await store.commit(hold, decided(), answered(9), window=make_window())

    assert (await store.cells())[CELL].reasons == ()
    with pytest.raises(NotFoundError):
        await store.window(WindowId("w-1"))
    assert (await store.head()).seq == 1
