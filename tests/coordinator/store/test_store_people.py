"""Who may is looked up inside the commit; a refusal leaves no trace."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.clock import ManualClock
from coordinator.errors import (
    IllegalTransitionError,
    LoginRequiredError,
    NotFoundError,
    RoleError,
    StoreIntegrityError,
)
from coordinator.store import Store
from coordinator.store.database import DATABASE
from coordinator.store.migrations import FOLDED
from coordinator.store.pin_file import PinFile, digest_of
from coordinator.store.verify import verify
from coordinator.terms import (
    DecisionId,
    HoldReason,
    Outcome,
    PersonId,
    Role,
    SessionEnd,
    SessionId,
)
from coordinator.terms import events as e
from tests.coordinator.store.people_events import OWNER, acting, added, logged_in
from tests.coordinator.store.store_world import (
    ANA,
    CELL,
    NOON,
    answered,
    claimed,
    decided,
    ended,
    example,
    make_window,
    opened,
    session,
)

ANA_HERE = acting("ana")


async def asked(store: Store) -> None:
    await store.commit(session())
    await store.commit(decided(2), opened(2), window=make_window(2))


async def open_store(path: Path | None = None) -> tuple[Store, ManualClock]:
    clock = ManualClock(NOON)
    return await Store.open(path, clock=clock, commit_deadline_s=30), clock


def claim_by(actor=ANA_HERE) -> e.RequestClaimed:
    return replace(claimed(2), actor=actor)


def answer_by(actor=ANA_HERE) -> e.RequestAnswered:
    return replace(answered(2), actor=actor)


async def test_without_accounts_anybody_may():
    store, _ = await open_store()
    await asked(store)

    await store.commit(claimed(2))
    await store.commit(answered(2), example(2))
    await store.close()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(e.PersonLocked(PersonId("ana"), OWNER), id="locked"),
        pytest.param(e.RoleChanged(PersonId("ana"), Role.AUDITOR, OWNER), id="auditor"),
        pytest.param(
            e.RoleChanged(PersonId("ana"), Role.ADMIN, OWNER), id="even-promoted"
        ),
        pytest.param(e.PinChanged(PersonId("ana"), digest_of("x"), OWNER), id="pin"),
        pytest.param(
            e.PersonSessionEnded(
                SessionId("s-ana-1"), PersonId("ana"), SessionEnd.LOGOUT
            ),
            id="logged-out",
        ),
    ],
)
async def test_revoked_between_claim_and_answer(change: e.Event):
    store, _ = await open_store()
    await asked(store)
    await store.commit(added("ana"))
    await store.commit(logged_in("ana"))
    await store.commit(claim_by())

    await store.commit(change)
    before = await store.head()
    with pytest.raises(LoginRequiredError):
        await store.commit(answer_by(), example(2))

    assert await store.head() == before
    assert (await store.request(claim_by().request_id)).is_open
    await store.close()


@pytest.mark.parametrize(
    "word",
    [
        pytest.param(e.AnswerGiven(answer_by(), 3_000_000_000), id="given"),
        pytest.param(e.FirstOpinion(answer_by()), id="first-of-two"),
        pytest.param(
            replace(ended(2, Outcome.SUPERSEDED), actor=ANA_HERE), id="cannot-tell"
        ),
    ],
)
async def test_no_word_of_who_is_locked_counts(word: e.Event):
    store, _ = await open_store()
    await asked(store)
    await store.commit(added("ana"))
    await store.commit(logged_in("ana"))
    await store.commit(claim_by())
    await store.commit(e.PersonLocked(PersonId("ana"), OWNER))

    with pytest.raises(LoginRequiredError):
        await store.commit(word)

    assert (await store.request(claim_by().request_id)).is_open
    await store.close()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(e.PersonLocked(PersonId("ben"), OWNER), NotFoundError, id="gone"),
        pytest.param(
            e.RoleChanged(PersonId("ben"), Role.AUDITOR, OWNER), RoleError, id="auditor"
        ),
    ],
)
async def test_a_claim_is_not_handed_to_who_has_gone_meanwhile(
    change: e.Event, error: type[Exception]
):
    store, _ = await open_store()
    await asked(store)
    await store.commit(added("ana"), added("ben"))
    await store.commit(logged_in("ana"))
    await store.commit(claim_by())
    to_ben = e.ClaimHandedOver(claim_by().request_id, ANA_HERE, 2, PersonId("ben"))
    to_nobody = replace(to_ben, to=PersonId("eva"))

    await store.commit(change)
    before = await store.head()
    with pytest.raises(error):
        await store.commit(to_ben)
    with pytest.raises(NotFoundError, match="nobody called 'eva'"):
        await store.commit(to_nobody)

    assert await store.head() == before
    assert (await store.request(claim_by().request_id)).claimed_by == "ana"
    await store.close()


async def test_a_claim_is_handed_to_who_is_there():
    store, _ = await open_store()
    await asked(store)
    await store.commit(added("ana"), added("ben"))
    await store.commit(logged_in("ana"))
    await store.commit(claim_by())

    name = claim_by().request_id
    await store.commit(e.ClaimHandedOver(name, ANA_HERE, 2, PersonId("ben")))

    assert (await store.request(name)).claimed_by == "ben"
    await store.close()


async def test_what_nobody_ended_needs_nobody():
    store, _ = await open_store()
    await asked(store)
    await store.commit(added("ana"))

    await store.commit(ended(2, Outcome.TIMED_OUT))
    await store.close()


async def test_a_session_does_not_outlive_its_hours():
    store, clock = await open_store()
    await asked(store)
    await store.commit(added("ana"))
    await store.commit(logged_in("ana", hours=1))

    clock.advance(timedelta(hours=1))
    with pytest.raises(LoginRequiredError):
        await store.commit(claim_by())

    await store.close()


async def test_an_answer_that_waits_is_final_whoever_leaves_meanwhile():
    store, _ = await open_store()
    await asked(store)
    await store.commit(added("ana"))
    await store.commit(logged_in("ana"))
    await store.commit(claim_by())
    await store.commit(e.AnswerGiven(answer_by(), 3_000_000_000))

    await store.commit(e.PersonLocked(PersonId("ana"), OWNER))
    await store.commit(replace(answer_by(), waited=True), example(2))

    assert not (await store.request(claim_by().request_id)).is_open
    await store.close()


@pytest.mark.parametrize(
    "actor",
    [
        pytest.param(ANA, id="said"),
        pytest.param(replace(acting("ana"), session=SessionId("s-ben-1")), id="bens"),
        pytest.param(replace(acting("ana"), session=SessionId("")), id="none"),
    ],
)
async def test_a_name_without_its_session_counts_for_nothing(actor):
    store, _ = await open_store()
    await asked(store)
    await store.commit(added("ana"), added("ben"))
    await store.commit(logged_in("ana"), logged_in("ben"))

    with pytest.raises(LoginRequiredError):
        await store.commit(claim_by(actor))

    await store.close()


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("reason", list(HoldReason))
async def test_who_may_release_what(role: Role, reason: HoldReason):
    severe = {HoldReason.SAFETY_STOP_SEEN, HoldReason.INTEGRITY, HoldReason.IDENTITY}
    least = Role.SUPERVISOR if reason in severe else Role.OPERATOR
    store, _ = await open_store()
    await store.commit(session())
    await store.commit(added("ana", role), logged_in("ana", role))
    release = e.HoldReleased(
        DecisionId("d-9"), CELL, acting("ana", role), (reason,), ""
    )

    if role >= least:
        await store.commit(release)
    else:
        with pytest.raises(RoleError):
            await store.commit(release)
    await store.close()


async def test_a_hold_of_a_supervisor_outlives_a_restart(tmp_path: Path):
    store, _ = await open_store(tmp_path)
    await store.commit(session())
    await store.commit(added("sam", Role.SUPERVISOR), added("ana"))
    await store.commit(
        logged_in("sam", Role.SUPERVISOR, 1), logged_in("ana", Role.OPERATOR, 2)
    )
    sam = acting("sam", Role.SUPERVISOR)
    ana = acting("ana", Role.OPERATOR, 2)
    reason = HoldReason.OPERATOR_HOLD
    await store.commit(e.HoldPlaced(CELL, reason, "look.", sam))
    await store.commit(e.HoldPlaced(CELL, reason, "me too.", ana))
    await store.close()

    store, _ = await open_store(tmp_path)
    by_ana = e.HoldReleased(DecisionId("d-1"), CELL, ana, (reason,), "")
    with pytest.raises(RoleError, match="sam held it"):
        await store.commit(by_ana)
    await store.commit(replace(by_ana, actor=sam))
    await store.commit(e.HoldPlaced(CELL, reason, "me.", ana))
    await store.commit(replace(by_ana, decision_id=DecisionId("d-2")))
    await store.close()

    assert verify(tmp_path).ok


async def test_policies_and_the_owner_of_the_files_need_no_login():
    store, _ = await open_store()
    await store.commit(session())
    await store.commit(added("ana"))
    policy = replace(ANA, person=PersonId("policy:autostart"))
    owner = replace(ANA, person=PersonId("machine:root"))
    reasons = (HoldReason.LINK_LOST,)

    await store.commit(e.HoldReleased(DecisionId("d-1"), CELL, policy, reasons, ""))
    with pytest.raises(LoginRequiredError):
        await store.commit(e.HoldReleased(DecisionId("d-2"), CELL, owner, reasons, ""))
    await store.close()


async def test_only_administrators_and_owners_make_accounts():
    store, _ = await open_store()

    with pytest.raises(LoginRequiredError):
        await store.commit(added("eve", Role.ADMIN, by=ANA))
    await store.commit(added("root", Role.ADMIN), added("eva", Role.ENGINEER))
    await store.commit(
        logged_in("root", Role.ADMIN, 1), logged_in("eva", Role.ENGINEER, 2)
    )
    with pytest.raises(RoleError):
        await store.commit(added("eve", by=acting("eva", Role.ENGINEER, 2)))
    await store.commit(added("ana", by=acting("root", Role.ADMIN)))
    with pytest.raises(IllegalTransitionError):
        await store.commit(added("ana"))
    with pytest.raises(NotFoundError):
        await store.commit(e.PersonLocked(PersonId("nobody"), OWNER))

    assert [p.person for p in await store.people()] == ["root", "eva", "ana"]
    await store.close()


async def test_who_is_locked_does_not_log_in():
    store, _ = await open_store()
    await store.commit(added("ana"))
    await store.commit(e.PersonLocked(PersonId("ana"), OWNER))

    with pytest.raises(LoginRequiredError):
        await store.commit(logged_in("ana"))
    await store.commit(e.PersonUnlocked(PersonId("ana"), OWNER))
    await store.commit(logged_in("ana"))

    assert [s.person for s in await store.person_sessions()] == ["ana"]
    await store.close()


def test_what_is_recorded_of_people_is_folded():
    assert {"people", "person_sessions", "held_by"} <= set(FOLDED)


def test_a_pin_is_kept_apart_and_forgotten_when_nobody_cites_it(tmp_path: Path):
    pins = PinFile(tmp_path / "people.pins")
    old, new = pins.keep("$argon2id$old"), pins.keep("$argon2id$new")

    pins.forget_all_but({new})
    again = PinFile(tmp_path / "people.pins")

    assert again.hash_of(new) == "$argon2id$new"
    assert (tmp_path / "people.pins").stat().st_mode & 0o777 == 0o600
    assert b"old" not in (tmp_path / "people.pins").read_bytes()
    with pytest.raises(StoreIntegrityError):
        again.hash_of(old)


def test_a_pin_that_was_exchanged_on_the_disk_opens_nothing(tmp_path: Path):
    file = tmp_path / "people.pins"
    digest = PinFile(file).keep("$argon2id$ana")

    file.write_text(file.read_text().replace("$ana", "$eve"))

    with pytest.raises(StoreIntegrityError):
        PinFile(file).hash_of(digest)


async def test_a_store_from_before_there_were_people_verifies(tmp_path: Path):
    # The fold looks at tables that such a store does not have.
    store, _ = await open_store(tmp_path)
    await store.commit(session())
    reasons = (HoldReason.LINK_LOST,)
    await store.commit(e.HoldReleased(DecisionId("d-9"), CELL, ANA, reasons, ""))
    await store.close()
    with closing(sqlite3.connect(tmp_path / DATABASE)) as db, db:
        for table in (
            "people",
            "person_sessions",
            "held_by",
            "given",
            "opinions",
            "decided",
            "arrivals",
            "skips",
            "first_opinions",
            "unheard",
            "known_cases",
        ):
            db.execute(f"DROP TABLE {table}")
        db.execute("DELETE FROM _sqlite_migrations WHERE id > 4")
        db.execute("PRAGMA user_version = 4")

    found = verify(tmp_path)

    assert (found.ok, found.entries) == (True, 2), found.text
