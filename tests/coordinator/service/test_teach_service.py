"""The labelling party over gRPC: real port, real store, several people at once."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from andon.v1 import learning_pb2, learning_pb2_grpc, operator_pb2
from coordinator.learning.training.dataset import frozen
from coordinator.terms import ExampleSource, events
from tests.builders import NOON, PEG, make_prediction, make_window
from tests.coordinator.learning.teach_world import judged, samples_like
from tests.coordinator.service.service_world import ServiceWorld, refused

WINDOWS = 30


def learning(world: ServiceWorld) -> Any:
    return learning_pb2_grpc.LearningServiceStub(world.channel)


def by(person: str) -> operator_pb2.Actor:
    return operator_pb2.Actor(person=person, device=f"{person}-1")


async def put(world: ServiceWorld, count: int = WINDOWS) -> None:
    """Windows that the cell decided alone, none of them of the share that measures."""
    cycle, done = 0, 0
    while done < count:
        cycle += 1
        if frozen([f"press-1/{cycle}"])[0]:
            continue
        window = make_window(cycle=cycle, samples=samples_like(cycle, cycle))
        decided = judged(window, make_prediction("ok", 0.95))
        await world.real.commit(decided, window=window)
        done += 1


@pytest.fixture
async def party(world: ServiceWorld) -> ServiceWorld:
    await put(world)
    return world


async def get(world: ServiceWorld, person: str = "ana", count: int = 1, **how: Any):
    request = learning_pb2.GetTeachableRequest(
        family="peg", actor=by(person), count=count, **how
    )
    return await learning(world).GetTeachable(request)


def teach(
    window: learning_pb2.TeachWindow,
    label: str = "ok",
    person: str = "ana",
    **more: Any,
) -> learning_pb2.TeachRequest:
    facts = {
        "family": "peg",
        "actor": by(person),
        "idempotency_key": f"{person}-{window.about.window_id}",
        "window_id": window.about.window_id,
        "view_digest": window.view_digest,
        "label": label,
        "cannot_tell": not label,
    }
    return learning_pb2.TeachRequest(**{**facts, **more})


async def test_a_person_gets_a_window_with_everything_to_label_it(party: ServiceWorld):
    got = await get(party)

    [window] = got.windows
    assert window.window.rows * window.window.channels * 4 == len(window.window.samples)
    assert [x.name for x in got.labels][-1] == "ok"
    assert len(got.channels) == window.window.channels
    assert window.lease.seconds == 120
    assert (got.status.left, got.status.people) == (WINDOWS, ["ana"])
    assert not window.DESCRIPTOR.fields_by_name.get("guess")


async def test_a_label_is_an_example_that_learning_hears_of(party: ServiceWorld):
    [window] = (await get(party)).windows
    noted = party.teacher.noted

    taught = await learning(party).Teach(teach(window, "misaligned"))

    [example] = await party.real.examples(PEG)
    assert (example.label, example.source) == ("misaligned", ExampleSource.TEACH)
    assert (example.person, example.device) == ("ana", "ana-1")
    assert example.labelled_at == NOON
    assert taught.labelled == 1
    assert (taught.status.left, taught.status.taught) == (WINDOWS - 1, 1)
    assert party.teacher.noted > noted


async def test_people_in_parallel_never_get_the_same_window(party: ServiceWorld):
    people = ["ana", "ben", "cem", "dan"]

    async def ask(person: str) -> list[str]:
        found: list[str] = []
        for _ in range(4):
            got = await get(party, person, 2)
            found += [one.about.window_id for one in got.windows]
        return found

    handed = await asyncio.gather(*(ask(person) for person in people))

    flat = [window_id for one in handed for window_id in one]
    assert len(flat) == len(set(flat)) == WINDOWS


async def test_people_who_label_in_parallel_empty_the_queue_once(party: ServiceWorld):
    stub = learning(party)

    async def work(person: str) -> None:
        while (got := await get(party, person)).status.left:
            for window in got.windows:
                await stub.Teach(teach(window, "ok", person))

    await asyncio.gather(*(work(person) for person in ("ana", "ben", "cem")))

    first = {e.window_id for e in await party.real.examples(PEG)}
    given = await party.journal(events.OpinionGiven)
    said = [(e.opinion.window_id, e.opinion.person) for e in given]
    assert len(first) == WINDOWS
    assert len(said) == len(set(said))


async def test_after_its_lease_a_window_is_offered_again(party: ServiceWorld):
    mine = {w.about.window_id for w in (await get(party, "ana", 8)).windows}
    others = await get(party, "ben", 8)
    await party.tick(121)

    again: set[str] = set()
    for _ in range(6):
        again |= {w.about.window_id for w in (await get(party, "cem", 8)).windows}

    assert not mine & {w.about.window_id for w in others.windows}
    assert mine <= again


async def test_who_speaks_after_the_lease_is_heard(party: ServiceWorld):
    [window] = (await get(party)).windows
    await party.tick(300)

    await learning(party).Teach(teach(window))

    [given] = await party.journal(events.OpinionGiven)
    assert given.opinion.pick.value == "late"


async def test_the_same_key_is_one_opinion_and_other_content_is_refused(
    party: ServiceWorld,
):
    [window] = (await get(party)).windows
    stub = learning(party)

    first = await stub.Teach(teach(window))
    again = await stub.Teach(teach(window))
    other = await refused(stub.Teach(teach(window, "misaligned")))

    assert first.opinion_id == again.opinion_id
    assert (first.labelled, again.labelled) == (1, 0)
    assert other.token == "KEY_REUSED"  # noqa: S105 - a token of the contract
    assert len(await party.real.examples(PEG)) == 1


@pytest.mark.parametrize(
    ("changes", "token"),
    [
        ({"label": "strange"}, "UNKNOWN_LABEL"),
        ({"view_digest": "0" * 64}, "VIEW_CHANGED"),
        ({"label": "", "cannot_tell": False}, "MISSING_FIELD"),
        ({"cannot_tell": True}, "MISSING_FIELD"),
        ({"window_id": "w-nowhere"}, "NOT_FOUND"),
        ({"family": "other"}, "UNKNOWN_FAMILY"),
        ({"actor": None}, "MISSING_FIELD"),
        ({"idempotency_key": ""}, "MISSING_FIELD"),
        ({"alike_digest": "0" * 64}, "VIEW_CHANGED"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    party: ServiceWorld, changes, token
):
    [window] = (await get(party)).windows

    said = await refused(learning(party).Teach(teach(window, **changes)))

    assert said.token == token
    assert await party.real.examples(PEG) == []


async def test_what_is_passed_over_does_not_come_back_and_what_is_returned_does(
    party: ServiceWorld,
):
    stub = learning(party)
    [one] = (await get(party)).windows
    back = learning_pb2.ReturnTeachableRequest(
        family="peg", actor=by("ana"), window_ids=[one.about.window_id], passed=True
    )
    await stub.ReturnTeachable(back)

    mine: set[str] = set()
    while got := (await get(party, "ana", 8)).windows:
        mine |= {w.about.window_id for w in got}
    given_back = learning_pb2.ReturnTeachableRequest(
        family="peg", actor=by("ana"), window_ids=sorted(mine)
    )
    await stub.ReturnTeachable(given_back)
    again = await get(party, "ana", 8)

    assert one.about.window_id not in mine
    assert len(again.windows) == 8
    [others] = (await get(party, "ben", 1)).windows
    assert others.about.window_id


async def test_undo_gives_the_window_back_to_who_spoke(party: ServiceWorld):
    stub = learning(party)
    [window] = (await get(party)).windows
    taught = await stub.Teach(teach(window))
    undo = learning_pb2.UndoTeachRequest(
        family="peg",
        actor=by("ana"),
        idempotency_key="undo-1",
        opinion_id=taught.opinion_id,
    )

    back = await stub.UndoTeach(undo)
    again = await stub.UndoTeach(undo)
    other = await stub.Teach(teach(window, "misaligned", idempotency_key="another-key"))

    assert back.window.about.window_id == window.about.window_id
    assert again.window.about.window_id == window.about.window_id
    assert other.opinion_id != taught.opinion_id
    labels = [e.label for e in await party.real.examples(PEG) if not e.retracted]
    assert labels == ["misaligned"]


async def test_nobody_undoes_what_another_said(party: ServiceWorld):
    stub = learning(party)
    [window] = (await get(party)).windows
    taught = await stub.Teach(teach(window))

    said = await refused(
        stub.UndoTeach(
            learning_pb2.UndoTeachRequest(
                family="peg",
                actor=by("ben"),
                idempotency_key="undo-2",
                opinion_id=taught.opinion_id,
            )
        )
    )

    assert said.token == "NOT_YOUR_OPINION"  # noqa: S105 - a token of the contract


async def both_say(world: ServiceWorld, one: str, other: str) -> Any:
    """Two people label the same window; what the second is told."""
    stub = learning(world)
    [window] = (await get(world)).windows
    await stub.Teach(teach(window, one, "ana"))
    return await stub.Teach(teach(window, other, "ben")), window


async def test_agreement_is_shown_in_numbers(party: ServiceWorld):
    for _ in range(3):
        await both_say(party, "ok", "ok")
    told, _ = await both_say(party, "ok", "misaligned")

    agreed = await learning(party).GetAgreement(
        learning_pb2.GetAgreementRequest(family="peg")
    )

    assert (agreed.windows, agreed.people, agreed.coefficient) == (4, 2, "cohen")
    assert agreed.percent == 0.75
    assert agreed.value == 0.0
    assert [(p.one, p.other, p.count) for p in agreed.pairs] == [
        ("misaligned", "ok", 1),
        ("ok", "ok", 3),
    ]
    assert told.contradicted
    assert (told.status.disputed, told.status.percent) == (1, 0.75)


async def test_without_a_second_opinion_nothing_is_said_of_agreement(
    party: ServiceWorld,
):
    agreed = await learning(party).GetAgreement(
        learning_pb2.GetAgreementRequest(family="peg")
    )

    assert not agreed.HasField("percent")
    assert not agreed.HasField("value")
    assert agreed.windows == 0


async def test_an_engineer_ends_a_contradiction_by_name(party: ServiceWorld):
    stub = learning(party)
    _, window = await both_say(party, "ok", "misaligned")
    [dispute] = (
        await stub.GetAgreement(learning_pb2.GetAgreementRequest(family="peg"))
    ).disputes
    decide = learning_pb2.DecideLabelRequest(
        family="peg",
        actor=by("eva"),
        idempotency_key="decide-1",
        window_id=dispute.window_id,
        view_digest=dispute.view_digest,
        label="misaligned",
        note="the clip shows it",
    )

    done = await stub.DecideLabel(decide)
    await stub.DecideLabel(decide)

    assert dispute.window_id == window.about.window_id
    assert {x.label: x.people for x in dispute.said} == {"ok": 1, "misaligned": 1}
    assert done.status.disputed == 0
    [example] = [e for e, _ in await party.real.example_windows(PEG)]
    assert (example.label, example.person) == ("misaligned", "ben")
    [decided] = await party.journal(events.LabelDecided)
    assert decided.actor.person == "eva"


async def test_nearly_the_same_windows_are_named_and_the_edge_is_shown(
    world: ServiceWorld,
):
    stub = learning(world)
    await put(world)
    cycle = 1000
    same: list[str] = []
    while len(same) < 5:
        cycle += 1
        if not frozen([f"press-1/{cycle}"])[0]:
            window = make_window(cycle=cycle, samples=samples_like(5000, cycle))
            await world.real.commit(
                judged(window, make_prediction("ok", 0.5)), window=window
            )
            same.append(window.window_id)
    [shown] = (await get(world)).windows
    assert shown.about.window_id in same

    alike = await stub.GetAlike(
        learning_pb2.GetAlikeRequest(
            family="peg", actor=by("ana"), window_id=shown.about.window_id
        )
    )
    taught = await stub.Teach(teach(shown, alike_digest=alike.alike_digest))

    assert alike.count == 4
    assert alike.edge.about.window_id in set(same) - {shown.about.window_id}
    assert len(alike.edge.window.samples) > 0
    assert taught.labelled == 5


async def test_the_list_shows_what_is_left_page_by_page(party: ServiceWorld):
    stub = learning(party)
    first = await stub.ListTeachable(
        learning_pb2.ListTeachableRequest(family="peg", page_size=20)
    )
    rest = await stub.ListTeachable(
        learning_pb2.ListTeachableRequest(
            family="peg", page_size=20, page_token=first.next_page_token
        )
    )
    status = await stub.ListTeachable(
        learning_pb2.ListTeachableRequest(family="peg", status_only=True)
    )

    ids = [w.window_id for w in (*first.windows, *rest.windows)]
    assert len(ids) == len(set(ids)) == WINDOWS
    assert rest.next_page_token == ""
    assert (len(status.windows), status.status.left) == (0, WINDOWS)


async def test_the_oldest_come_first_when_that_is_asked(party: ServiceWorld):
    got = await get(party, count=4, order=learning_pb2.TEACH_ORDER_TIME)

    cycles = [w.about.cycle for w in got.windows]
    assert cycles == sorted(cycles)


async def test_a_window_with_an_open_question_is_not_handed_out(tmp_path: Path):
    world = await ServiceWorld.open(tmp_path)
    await world.asked()

    got = await get(world)

    assert list(got.windows) == []
    await world.close()


async def test_retracting_a_taught_example_leaves_the_gates_case_alone(
    party: ServiceWorld, monkeypatch: pytest.MonkeyPatch
):
    [window] = (await get(party)).windows
    await learning(party).Teach(teach(window))
    [example] = await party.real.examples(PEG)
    forgotten: list[str] = []
    monkeypatch.setattr(party.gate, "taken_back", forgotten.append)

    await learning(party).RetractExample(
        learning_pb2.RetractExampleRequest(
            example_id=example.example_id, actor=by("eva"), idempotency_key="r-1"
        )
    )

    assert forgotten == []


async def test_the_coordinator_is_not_asked_for_more_than_it_lends(
    party: ServiceWorld,
):
    assert len((await get(party, count=500)).windows) == 8
    code = (
        await refused(
            learning(party).ReturnTeachable(
                learning_pb2.ReturnTeachableRequest(
                    family="peg", actor=by("ana"), window_ids=["w"] * 101
                )
            )
        )
    ).code
    assert code is grpc.StatusCode.INVALID_ARGUMENT
