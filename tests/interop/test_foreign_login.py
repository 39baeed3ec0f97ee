"""A foreign client where people have accounts: a token, and what it opens."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from andon.v1 import access_pb2, access_pb2_grpc
from coordinator.people.machine import read_key
from coordinator.terms import new_id
from tests.interop.asked import Asked, asking
from tests.interop.tablets import RefusedError, needs_node

pytestmark = [pytest.mark.slow, needs_node]

PIN = "294175"


async def add(asked: Asked, folder: Path, person: str, role: str) -> None:
    """Make an account, as who owns the coordinator's files may."""
    async with grpc.aio.insecure_channel(asked.address) as channel:
        await access_pb2_grpc.AccessServiceStub(channel).AddPerson(
            access_pb2.AddPersonRequest(
                person=person,
                role=role,
                pin=PIN,
                by="test",
                idempotency_key=new_id("k"),
            ),
            metadata=(("authorization", f"Machine {read_key(folder)}"),),
        )


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with asking(tmp_path) as opened:
        await add(opened, tmp_path, "eva", "admin")
        await add(opened, tmp_path, "ana", "operator")
        yield opened


async def test_before_a_login_it_sees_and_may_pull_the_cord_only(asked: Asked):
    with pytest.raises(RefusedError) as refused:
        await asked.tablet.do("claim", asked.request_id)
    held = await asked.tablet.do("hold", "press-1", "smoke")
    seen = await asked.tablet.until(lambda seen: seen["cells"]["press-1"])

    assert refused.value.status == "UNAUTHENTICATED"
    assert refused.value.token == "LOGIN_REQUIRED"  # noqa: S105 - not that kind of token
    assert held["cells"] == ["press-1"]
    assert seen["cell_id"] == "press-1"


async def test_a_wrong_pin_opens_nothing(asked: Asked):
    with pytest.raises(RefusedError) as refused:
        await asked.tablet.do("login", "ana", "000000")
    who = await asked.tablet.do("whoAmI")

    assert refused.value.status == "UNAUTHENTICATED"
    assert refused.value.token == "LOGIN_REFUSED"  # noqa: S105
    assert (who["person"], who["accounts"]) == ("", True)


async def test_with_its_token_it_answers_as_that_person(asked: Asked):
    session = await asked.tablet.do("login", "ana", PIN)
    who = await asked.tablet.do("whoAmI")
    await asked.tablet.until(lambda seen: seen["snapshots"] == 2)
    await asked.claim_and_answer(label="ok")
    await asked.heard("permit")
    shown = await asked.tablet.until(
        lambda seen: (
            (one := seen["requests"].get(asked.request_id))
            and one["outcome"] == "OUTCOME_ANSWERED"
            and one
        )
    )

    assert "operator" in session["roles"]
    assert (who["person"], who["verified"]) == ("ana", True)
    assert shown["answered_by"] == "ana"


async def test_after_a_logout_its_token_is_worth_nothing(asked: Asked):
    await asked.tablet.do("login", "ana", PIN)
    claimed = await asked.tablet.do("claim", asked.request_id)
    await asked.tablet.do("logout")
    free = await asked.tablet.until(
        lambda seen: (
            (one := seen["requests"].get(asked.request_id))
            and not one["claimed_by"]
            and one
        )
    )
    with pytest.raises(RefusedError) as refused:
        await asked.tablet.do("claim", asked.request_id)

    assert int(claimed["claim_epoch"]) > 0
    assert free["outcome"] == "OUTCOME_UNSPECIFIED"
    assert refused.value.token == "LOGIN_REQUIRED"  # noqa: S105
