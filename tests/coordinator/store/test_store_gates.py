"""On what a gate rests, over restarts, swaps and years of journal."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import ConflictError
from coordinator.store import Store
from coordinator.store.verify import verify
from coordinator.terms import (
    NO_DIGEST,
    Closing,
    Decision,
    ExampleId,
    FamilyId,
    GateRow,
    Outcome,
    Permission,
    RequestId,
)
from coordinator.terms import events as e
from tests.coordinator.store.store_world import (
    ANA,
    NOON,
    PEG,
    answered,
    certified,
    claimed,
    decided,
    digest,
    ended,
    example,
    granted,
    make_window,
    opened,
    promoted,
    registered,
    shut,
    validated,
)

UNTIL = NOON + timedelta(hours=8)
MODEL = digest("model")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store whose directory verifies when the test is done."""
    opened_store = await Store.open(tmp_path, clock=ManualClock(), commit_deadline_s=30)
    yield opened_store
    await opened_store.close()
    assert verify(tmp_path).ok


async def serve(store: Store, version: int = 1, previous: int = 0) -> None:
    await store.commit(
        registered(version), validated(version), promoted(version, previous)
    )


async def test_a_family_of_which_nothing_is_on_record_rests_on_nothing(
    store: Store,
) -> None:
    assert await store.gate(PEG) == GateRow()


async def test_a_certificate_is_in_force_until_the_gate_is_shut(store: Store) -> None:
    await serve(store)
    await store.commit(certified(1))

    row = await store.gate(PEG)
    assert row.certificate == certified(1).certificate
    assert row.evidence_seq < row.opened_seq

    await store.commit(shut())
    row = await store.gate(PEG)
    assert (row.certificate, row.closed_text) == (None, "3 of 9 were wrong.")


async def test_a_gate_that_is_certified_again_is_not_shut(store: Store) -> None:
    await serve(store)
    await store.commit(shut())
    await store.commit(certified(1))

    row = await store.gate(PEG)
    assert row.certificate == certified(1).certificate
    assert row.closed_text == ""


async def test_a_certificate_of_a_model_that_does_not_serve_is_refused(
    store: Store,
) -> None:
    await serve(store)
    with pytest.raises(ConflictError, match="does not serve"):
        await store.commit(certified(2))
    await store.commit(registered(2), validated(2), promoted(2, 1))
    with pytest.raises(ConflictError):
        await store.commit(certified(1))

    assert (await store.gate(PEG)).certificate is None


async def test_another_model_voids_a_certificate_and_its_evidence(store: Store) -> None:
    await serve(store)
    await store.commit(certified(1))
    before = (await store.gate(PEG)).evidence_seq
    await serve(store, 2, 1)

    row = await store.gate(PEG)
    assert row.certificate is None
    assert row.evidence_seq > before


async def test_a_model_that_comes_back_has_to_prove_itself_again(store: Store) -> None:
    await serve(store)
    await store.commit(certified(1))
    await serve(store, 2, 1)
    back = e.ModelRolledBack(digest("model 2"), PEG, digest("model 1"), ANA, "erred.")
    await store.commit(back)

    assert (await store.gate(PEG)).certificate is None


async def test_a_word_outlives_a_swap_and_ends_when_the_gate_is_shut(
    store: Store,
) -> None:
    await serve(store)
    await store.commit(granted(source="named"))
    await serve(store, 2, 1)

    row = await store.gate(PEG)
    assert row.permission == Permission(ANA.person, 0.9, UNTIL)
    assert row.opened_seq == row.evidence_seq

    await store.commit(shut(Closing.EXPIRED))
    row = await store.gate(PEG)
    assert row.permission is None
    assert row.source == "named"

    await store.commit(granted())
    row = await store.gate(PEG)
    assert row.permission is not None
    assert (row.closed_text, row.source) == ("", "named")


async def test_evidence_that_begins_anew_leaves_the_certificate(store: Store) -> None:
    await serve(store)
    await store.commit(certified(1))
    await store.commit(e.EvidenceRestarted(PEG, "half of its life has passed."))

    row = await store.gate(PEG)
    assert row.certificate is not None
    assert row.evidence_seq > row.opened_seq


async def test_families_rest_on_their_own(store: Store) -> None:
    await serve(store)
    await store.commit(certified(1))

    assert await store.gate(FamilyId("other")) == GateRow()


# -- cases ---------------------------------------------------------------------------


async def ask(store: Store, number: int) -> None:
    await store.commit(decided(number), opened(number), window=make_window(number))


async def test_cases_tell_what_people_said(store: Store) -> None:
    for number in range(1, 5):
        await ask(store, number)
    await store.commit(claimed(1))
    await store.commit(answered(1))
    await store.commit(ended(2))
    await store.commit(claimed(3))
    await store.commit(answered(3), example(3))
    await store.commit(e.ExampleRetracted(ExampleId("e-3"), ANA))
    await store.commit(decided(5, Decision.ACT), window=make_window(5))

    cases = await store.gate_cases(PEG, MODEL, 0)

    assert [(case.outcome, case.label) for case in cases] == [
        (Outcome.ANSWERED, "slip"),
        (Outcome.TIMED_OUT, ""),
        (Outcome.ANSWERED, ""),
        (Outcome.OPEN, ""),
        (None, ""),
    ]
    assert [bool(case.answered_seq) for case in cases] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert cases[0].coin == decided(1).coin
    assert cases[0].part_id == make_window(1).part_id


async def test_the_newest_request_about_a_decision_counts(store: Store) -> None:
    await ask(store, 1)
    successor = opened(1, request_id=RequestId("r-9"), level=1)
    await store.commit(ended(1), successor)

    (case,) = await store.gate_cases(PEG, MODEL, 0)

    assert case.outcome is Outcome.OPEN
    assert case.answered_seq == 0


async def test_cases_of_other_models_families_and_times_are_left_out(
    store: Store,
) -> None:
    await ask(store, 1)
    await ask(store, 2)
    first = (await store.gate_cases(PEG, MODEL, 0))[0]

    assert len(await store.gate_cases(PEG, MODEL, first.seq)) == 1
    assert await store.gate_cases(FamilyId("other"), MODEL, 0) == []
    assert await store.gate_cases(PEG, NO_DIGEST, 0) == []
