"""What a client in another language, made from the .proto files alone, can rely on."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from andon.v1 import terms_pb2
from tests.builders import CHANNELS
from tests.interop.asked import Asked, asking
from tests.interop.tablets import RefusedError, Tablet, needs_node
from tests.path.served import serving

pytestmark = [pytest.mark.slow, needs_node]


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with asking(tmp_path) as opened:
        yield opened


async def test_it_is_shown_the_cell_that_waits_and_the_question(asked: Asked):
    cell = await asked.tablet.until(
        lambda seen: seen["cells"]["press-1"]["request_id"] and seen["cells"]["press-1"]
    )
    shown = asked.tablet.picture["requests"][asked.request_id]

    assert cell["state"] == "CELL_STATE_ASKING"
    assert cell["request_id"] == asked.request_id
    assert shown["kind"] == "REQUEST_KIND_QUESTION"
    assert shown["cell_id"] == "press-1"
    assert int(shown["time_left"]["seconds"]) > 0
    assert shown["reason"]


async def test_it_reads_the_evidence_to_the_last_bit(asked: Asked):
    looked = await asked.tablet.do("look", asked.request_id)
    window = looked["shown"]["window"]
    sent = np.frombuffer(asked.window.samples, "<f4")

    assert looked["intact"]
    assert np.array(looked["samples"], "<f4").tobytes() == sent.tobytes()
    assert window["start_ns"] == str((1 << 62) + 1)
    assert [c["name"] for c in looked["shown"]["channels"]] == [
        c.name for c in CHANNELS
    ]


async def test_its_answer_gives_the_robot_leave(asked: Asked):
    reply = await asked.claim_and_answer(label="ok", note="looked at it")
    permit = await asked.heard("permit")
    shown = await asked.tablet.until(
        lambda seen: (
            (one := seen["requests"][asked.request_id])["outcome"] == "OUTCOME_ANSWERED"
            and one
        )
    )

    assert reply["cell_moves_on"]
    assert reply["action"] == "ACTION_CONTINUE"
    assert permit.action == terms_pb2.ACTION_CONTINUE
    assert permit.window_digest == asked.window.window_digest
    assert (shown["label"], shown["answered_by"]) == ("ok", "ana")


async def test_it_takes_an_answer_back_before_the_robot_has_leave(tmp_path: Path):
    async with asking(tmp_path, undo_s=30.0) as asked:
        wrong = await asked.claim_and_answer(label="missing_part")
        pending = await asked.tablet.until(
            lambda seen: (
                (one := seen["requests"][asked.request_id])["pending_label"] and one
            )
        )
        await asked.tablet.do("undo", asked.request_id)
        free = await asked.tablet.until(
            lambda seen: (
                (one := seen["requests"][asked.request_id])
                and not one["pending_label"]
                and one
            )
        )

    assert int(wrong["undo_within"]["seconds"]) >= 20
    assert (pending["pending_label"], pending["pending_by"]) == ("missing_part", "ana")
    assert free["outcome"] == "OUTCOME_UNSPECIFIED"


async def test_what_is_final_it_cannot_take_back(asked: Asked):
    await asked.claim_and_answer(label="ok")
    await asked.heard("permit")
    with pytest.raises(RefusedError) as refused:
        await asked.tablet.do("undo", asked.request_id)

    assert refused.value.token == "REQUEST_CLOSED"  # noqa: S105


async def test_it_is_told_who_was_faster_and_takes_over_only_on_purpose(asked: Asked):
    async with Tablet.on(asked.address, "ben", "tablet-2") as other:
        await other.until(lambda seen: asked.request_id in seen["requests"])
        mine = await asked.tablet.do("claim", asked.request_id)
        await other.until(
            lambda seen: seen["requests"][asked.request_id]["claimed_by"] == "ana"
        )
        with pytest.raises(RefusedError, match="ana") as refused:
            await other.do("claim", asked.request_id)
        taken = await other.do("claim", asked.request_id, {"take_over": True})
        with pytest.raises(RefusedError) as lost:
            await asked.tablet.do("renew", asked.request_id, mine["claim_epoch"])

    assert refused.value.status == "FAILED_PRECONDITION"
    assert refused.value.token == "CLAIMED_BY"  # noqa: S105 - not that kind of token
    assert refused.value.domain == "andon"
    assert int(taken["claim_epoch"]) > int(mine["claim_epoch"])
    assert lost.value.token in {"NOT_YOUR_CLAIM", "STALE_EPOCH", "CLAIMED_BY"}


async def test_a_claim_that_it_gives_back_is_free_again(asked: Asked):
    claimed = await asked.tablet.do("claim", asked.request_id)
    renewed = await asked.tablet.do("renew", asked.request_id, claimed["claim_epoch"])
    await asked.tablet.do("release", asked.request_id, claimed["claim_epoch"])
    await asked.tablet.until(
        lambda seen: not seen["requests"][asked.request_id]["claimed_by"]
    )

    assert int(renewed["lease"]["seconds"]) > 0


async def test_an_answer_about_another_picture_is_refused(asked: Asked):
    claimed = await asked.tablet.do("claim", asked.request_id)
    with pytest.raises(RefusedError) as refused:
        await asked.tablet.do(
            "answer",
            asked.request_id,
            claimed["claim_epoch"],
            "0" * 64,
            {"label": "ok"},
        )

    assert refused.value.token == "VIEW_CHANGED"  # noqa: S105
    assert refused.value.status == "ABORTED"


async def test_an_answer_said_twice_is_taken_once(asked: Asked):
    looked = await asked.tablet.do("look", asked.request_id)
    claimed = await asked.tablet.do("claim", asked.request_id)
    said = (asked.request_id, claimed["claim_epoch"], looked["shown"]["view_digest"])
    first = await asked.tablet.do("answer", *said, {"label": "ok", "key": "tap-1"})
    again = await asked.tablet.do("answer", *said, {"label": "ok", "key": "tap-1"})
    with pytest.raises(RefusedError) as refused:
        await asked.tablet.do(
            "answer", *said, {"label": "missing_part", "key": "tap-1"}
        )

    assert again["summary"]["outcome"] == first["summary"]["outcome"]
    assert again["summary"]["answered_by"] == first["summary"]["answered_by"] == "ana"
    assert refused.value.token == "KEY_REUSED"  # noqa: S105


async def test_who_cannot_tell_passes_the_question_on(asked: Asked):
    await asked.claim_and_answer(cannot_tell=True)
    up = await asked.tablet.until(
        lambda seen: [x for x in seen["requests"].values() if x["level"] == 1]
    )

    assert [x["cell_id"] for x in up] == ["press-1"]


async def test_it_pulls_the_cord_and_lets_the_cell_go_again(asked: Asked):
    held = await asked.tablet.do("hold", "press-1", "smoke")
    withdrawn = await asked.heard("withdraw")
    cell = await asked.tablet.until(
        lambda seen: (
            (one := seen["cells"]["press-1"])["reason"] == "HOLD_REASON_OPERATOR_HOLD"
            and one
        )
    )
    with pytest.raises(RefusedError) as refused:
        await asked.tablet.do(
            "releaseHold", "press-1", "HOLD_REASON_LOW_CONFIDENCE", None
        )
    released = await asked.tablet.do(
        "releaseHold", "press-1", cell["reason"], "ACTION_REJECT"
    )

    assert held == {"cells": ["press-1"], "recorded": True}
    assert withdrawn.reason == terms_pb2.HOLD_REASON_OPERATOR_HOLD
    assert "ana" in cell["text"]
    assert refused.value.token == "RELEASE_REFUSED"  # noqa: S105
    assert released["cell"]["state"] != "CELL_STATE_HELD"


async def test_it_fetches_a_whole_clip(asked: Asked):
    content = np.random.default_rng(0).bytes(600_000)
    clip_id = await asked.upload(content)
    await asked.tablet.until(
        lambda seen: seen["requests"][asked.request_id]["clip_id"] == clip_id
    )
    clip = await asked.tablet.do("clip", clip_id)

    assert clip["intact"]
    assert clip["bytes"] == len(content)
    assert clip["pieces"] > 1
    assert clip["info"]["cell_id"] == "press-1"


async def test_it_is_told_by_name_what_is_not_there(asked: Asked):
    with pytest.raises(RefusedError) as refused:
        await asked.tablet.do("clip", "c-none")

    assert (refused.value.status, refused.value.token) == ("NOT_FOUND", "NOT_FOUND")


async def test_it_says_when_nobody_serves_and_comes_back_by_itself(tmp_path: Path):
    async with asking(tmp_path) as first:
        request_id, address = first.request_id, first.address
        tablet_on = Tablet.on(address, "eva", "tablet-3")
        tablet = await tablet_on.__aenter__()
        await tablet.until(lambda seen: request_id in seen["requests"])
    try:
        await tablet.until(lambda seen: not seen["connected"])
        async with serving(tmp_path, address):
            seen = await tablet.until(
                lambda seen: seen["connected"] and request_id in seen["requests"]
            )
    finally:
        await tablet_on.__aexit__(None, None, None)

    assert seen
