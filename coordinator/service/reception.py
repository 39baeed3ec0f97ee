"""Opens the book of people, and clears a place when its person has gone."""

from __future__ import annotations

from datetime import timedelta

from coordinator import log
from coordinator.clock import Clock
from coordinator.config import Settings
from coordinator.errors import (
    ConflictError,
    NotFoundError,
    StoreDegradedError,
    StoreError,
)
from coordinator.live.request.queue import RequestQueue
from coordinator.people.accounts import Accounts
from coordinator.people.machine import make_key
from coordinator.people.sessions import SessionRules, Sessions
from coordinator.seams import Store
from coordinator.service.identity import People
from coordinator.store.pin_file import PINS, PinFile
from coordinator.terms import Actor, PersonSession, SessionEnd

_log = log.get("people")


async def open_people(
    settings: Settings, store: Store, requests: RequestQueue, clock: Clock
) -> People:
    """Return accounts and sessions as they stand on record, and make the key.

    Args:
        settings: How long sessions last, what a PIN must be, where the files are.
        store: Where accounts and sessions are recorded.
        requests: Whose claims are let go when a session ends.
        clock: For idleness and ends.

    Raises:
        StoreIntegrityError: the kept PINs cannot be read.
        StoreDegradedError: the machine's key cannot be written.
    """
    section, data_dir = settings.people, settings.coordinator.data_dir
    pins = PinFile(data_dir / PINS)
    accounts = Accounts(store, pins, clock, least_digits=section.pin_digits)
    rules = SessionRules(
        longest=timedelta(hours=section.session_hours),
        idle_lock_s=section.idle_lock_s,
        tries=section.tries,
        longest_wait_s=section.longest_wait_s,
    )

    async def ended(session: PersonSession, why: SessionEnd) -> None:
        await let_go(requests, session, why)

    sessions = Sessions(store, accounts, clock, rules, ended)
    await accounts.load()
    await sessions.load()
    try:
        key = make_key(data_dir)
    except OSError as error:
        raise StoreDegradedError(
            f"the machine's key cannot be written: {error.strerror}."
        ) from error
    return People(
        accounts,
        sessions,
        key,
        show_names=section.show_names,
        blind_share=section.blind_share,
        least_view_s=section.least_view_s,
        refuse_rash=section.refuse_rash,
        team_board=section.team_board,
    )


async def let_go(
    requests: RequestQueue, session: PersonSession, why: SessionEnd
) -> None:
    """Give back every claim that was taken in a session, or may have been.

    After a restart nobody knows in which session a claim was taken: then it is given
    back with the first that ends. An answer that may still be taken back stands. What
    the store does not take stands until its lease is over; nobody has to wait for it.
    """
    actor = Actor(session.person, session.device, session=session.session)
    for request in requests.all_open():
        if request.claimed_by != session.person:
            continue
        if request.claimed_session not in ("", session.session):
            continue
        try:
            await requests.release_claim(request.request_id, actor, request.claim_epoch)
        except (ConflictError, NotFoundError):
            continue  # an answer, or somebody else, was faster
        except StoreError as error:
            # The session has ended all the same, and the claim will with its lease.
            _log.error("claim_not_let_go", request=request.request_id, text=error.text)
