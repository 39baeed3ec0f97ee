"""Opinions about stored windows: durable, once, and only learned when people agree."""

from pathlib import Path

import pytest

from coordinator.errors import (
    IllegalTransitionError,
    NotFoundError,
    UnknownLabelError,
    ViewChangedError,
)
from coordinator.learning.correction.records import Said
from coordinator.learning.training.dataset import sift, snapshot
from coordinator.terms import (
    Decision,
    Digest,
    ExampleSource,
    WindowId,
    events,
)
from tests.builders import FAMILY, PEG, make_key
from tests.coordinator.learning.teach_world import ANA, BEN, CEM, TeachWorld

DAN = CEM.__class__(CEM.person.__class__("dan"), "panel-4")


@pytest.fixture
async def world():
    opened = await TeachWorld.open()
    yield opened
    await opened.close()


async def test_a_label_becomes_an_example_of_its_own_kind(world):
    window = await world.put()

    opinion_id = await world.say(window.window_id, "misaligned")

    [example] = await world.store.examples(PEG)
    assert (example.label, example.person, example.device) == (
        "misaligned",
        "ana",
        "panel-1",
    )
    assert example.source is ExampleSource.TEACH
    assert example.propensity == 1.0
    opinion = world.party.opinions.opinion(opinion_id)
    assert len(opinion.view_digest) == 64
    assert opinion.example_id == example.example_id


async def test_who_cannot_tell_teaches_nothing_and_is_not_asked_again(world):
    window = await world.put()

    await world.say(window.window_id, "")

    assert await world.store.examples(PEG) == []
    assert await world.lend(ANA) == []
    [offered] = await world.lend(BEN)
    assert offered.window.window_id == window.window_id


async def test_the_same_call_twice_is_one_opinion(world):
    window = await world.put()

    first = await world.say(window.window_id, "ok", key="one-key")
    again = await world.say(window.window_id, "ok", key="one-key")

    assert first == again
    assert len(await world.store.examples(PEG)) == 1


async def test_after_a_restart_the_same_call_is_still_one_opinion(world):
    window = await world.put()
    first = await world.say(window.window_id, "ok", key="one-key")

    again = await world.restarted().say(window.window_id, "ok", key="one-key")

    assert first == again
    assert len(await world.store.examples(PEG)) == 1


async def test_nobody_says_two_things_of_one_window(world):
    window = await world.put()
    await world.say(window.window_id, "ok")

    with pytest.raises(IllegalTransitionError) as refused:
        await world.say(window.window_id, "misaligned")

    assert refused.value.code == "ALREADY_SAID"


@pytest.mark.parametrize(
    ("label", "view", "error"),
    [
        pytest.param("strange", None, UnknownLabelError, id="a label nobody knows"),
        pytest.param("ok", Digest("0" * 64), ViewChangedError, id="another view"),
    ],
)
async def test_what_does_not_fit_is_refused(world, label, view, error):
    window = await world.put()
    await world.teaching.party(PEG)
    if view is None:
        with pytest.raises(error):
            await world.say(window.window_id, label)
    else:
        said = Said(window.window_id, label, view)
        with pytest.raises(error):
            await world.teaching.say(PEG, said, ANA, make_key())

    assert await world.store.examples(PEG) == []


async def test_a_window_that_measures_models_cannot_be_taught():
    import numpy as np

    world = await TeachWorld.open(kept_apart=lambda groups: np.ones(len(groups), bool))
    window = await world.put()

    assert await world.lend() == []
    with pytest.raises(NotFoundError):
        await world.say(window.window_id, "ok")
    await world.close()


async def test_windows_that_cannot_be_judged_are_not_offered(world):
    await world.put(decision=Decision.HOLD)
    good = await world.put(3)

    [offered] = await world.lend(ANA, 5)

    assert offered.window.window_id == good.window_id


async def test_a_window_that_a_person_is_asked_about_is_not_offered(world):
    window = await world.put()
    world.busy.add(window.window_id)

    assert await world.lend() == []


# -- contradictions ----------------------------------------------------------------


async def test_what_two_people_contradict_each_other_about_is_not_learned(world):
    window, other = await world.put(1), await world.put(2)
    await world.say(window.window_id, "ok", ANA)
    await world.say(other.window_id, "ok", ANA)

    await world.say(window.window_id, "misaligned", BEN)

    usable = await world.store.example_windows(PEG)
    kept, conflicts = sift(usable, FAMILY)
    frozen = snapshot(kept, FAMILY, weight_cap=5.0)
    assert not conflicts
    assert len(frozen.groups) == 1
    assert await world.learned() == {other.window_id: ["ok"]}
    [dispute] = world.party.opinions.disputes()
    assert dispute.window_id == window.window_id


async def test_a_third_person_who_agrees_with_one_settles_it(world):
    window = await world.put()
    await world.say(window.window_id, "ok", ANA)
    await world.say(window.window_id, "misaligned", BEN)

    [offered] = await world.lend(CEM)
    assert offered.window.window_id == window.window_id
    await world.say(window.window_id, "misaligned", CEM)

    learned = await world.learned()
    assert set(learned[window.window_id]) == {"misaligned"}
    assert world.party.opinions.disputes() == []


async def test_two_against_two_stays_open(world):
    window = await world.put()
    for who, label in ((ANA, "ok"), (BEN, "misaligned"), (CEM, "ok")):
        await world.say(window.window_id, label, who)

    await world.say(window.window_id, "misaligned", DAN)

    assert await world.learned() == {}


async def test_one_who_takes_it_back_ends_the_contradiction(world):
    window = await world.put()
    await world.say(window.window_id, "ok", ANA)
    mine = await world.say(window.window_id, "misaligned", BEN)

    await world.undo(mine, BEN)

    assert await world.learned() == {window.window_id: ["ok"]}


@pytest.mark.parametrize(
    ("label", "learned"),
    [
        pytest.param("ok", ["ok"], id="what one had said"),
        pytest.param("missing_part", ["missing_part"], id="what nobody had said"),
        pytest.param("", [], id="that nobody can tell"),
    ],
)
async def test_an_engineer_decides_and_it_holds(world, label, learned):
    window = await world.put()
    await world.say(window.window_id, "ok", ANA)
    await world.say(window.window_id, "misaligned", BEN)

    await world.decide(window.window_id, label)
    await world.say(window.window_id, "collision", DAN)

    assert (await world.learned()).get(window.window_id, []) == learned
    assert world.party.opinions.disputes() == []
    [decided] = [e for e in await world.journal() if isinstance(e, events.LabelDecided)]
    assert (decided.actor.person, decided.note) == ("cem", "looked.")


async def test_an_answer_to_a_question_can_be_contradicted_too(world):
    window = await world.put()
    await world.answered(window, "ok", ANA)

    await world.say(window.window_id, "misaligned", BEN)

    assert await world.learned() == {}


async def test_what_was_set_aside_for_another_reason_stays_there(world):
    window = await world.put()
    example_id = await world.answered(window, "ok", ANA)
    reason = "the camera was covered."
    await world.store.commit(events.ExampleQuarantined(example_id, reason))

    await world.say(window.window_id, "ok", BEN)

    [by_ana] = [e for e in await world.store.examples(PEG) if e.person == "ana"]
    assert by_ana.quarantine == reason


# -- taking back -------------------------------------------------------------------


async def test_what_is_taken_back_is_not_learned_and_may_be_said_again(world):
    window = await world.put()
    opinion = await world.say(window.window_id, "ok")

    assert await world.undo(opinion) == window.window_id
    assert await world.learned() == {}
    await world.say(window.window_id, "misaligned")

    assert await world.learned() == {window.window_id: ["misaligned"]}


async def test_nobody_takes_back_what_another_said(world):
    window = await world.put()
    opinion = await world.say(window.window_id, "ok", ANA)

    with pytest.raises(IllegalTransitionError):
        await world.undo(opinion, BEN)
    with pytest.raises(NotFoundError):
        await world.undo(opinion.__class__("o-unknown"))


# -- alike -------------------------------------------------------------------------


async def alike_world(**facts) -> tuple[TeachWorld, list[WindowId]]:
    world = await TeachWorld.open(**facts)
    same = [await world.put(7, seed=i) for i in range(6)]
    for i in range(60):
        await world.put(100 + i, seed=i)
    await world.teaching.party(PEG)
    return world, [window.window_id for window in same]


async def test_windows_nearly_the_same_are_labelled_at_once_and_taken_back_at_once():
    world, same = await alike_world()
    cluster = world.party.cluster(ANA.person, same[0])

    opinion = await world.say(same[0], "misaligned", alike=cluster.digest)

    assert {w.window_id for w in cluster.windows} == set(same[1:])
    assert set(await world.learned()) == set(same)
    looked = [e.opinion.looked for e in await world.journal() if hasattr(e, "opinion")]
    assert looked == [True] + [False] * 5
    await world.undo(opinion)
    assert await world.learned() == {}
    await world.close()


async def test_what_is_alike_is_labelled_only_as_it_was_shown():
    world, same = await alike_world()
    cluster = world.party.cluster(ANA.person, same[0])
    world.party.drop_cluster(ANA.person)

    with pytest.raises(ViewChangedError):
        await world.say(same[0], "ok", alike=cluster.digest)

    assert await world.learned() == {}
    await world.close()


async def test_others_do_not_get_what_is_shown_as_a_cluster():
    world, same = await alike_world()
    world.party.cluster(ANA.person, same[0])

    offered = {one.window.window_id for one in await world.lend(BEN, 66)}

    assert not offered & set(same[1:])
    world.party.drop_cluster(ANA.person)
    again = {one.window.window_id for one in await world.lend(BEN, 66)}
    assert again >= set(same[1:])
    await world.close()


async def test_agreement_counts_only_who_looked():
    world, same = await alike_world()
    cluster = world.party.cluster(ANA.person, same[0])
    await world.say(same[0], "ok", alike=cluster.digest)

    for window_id in same:
        await world.say(window_id, "ok", BEN)

    assert world.party.opinions.agreement().windows == 1
    await world.close()


async def test_what_another_labelled_meanwhile_is_left_out():
    world, same = await alike_world()
    cluster = world.party.cluster(ANA.person, same[0])
    await world.say(same[3], "ok", BEN)

    await world.say(same[0], "misaligned", alike=cluster.digest)

    expected = {one: ["misaligned"] for one in same} | {same[3]: ["ok"]}
    assert await world.learned() == expected
    await world.close()


async def test_who_takes_back_leaves_what_another_labelled_alike():
    world, same = await alike_world()
    cluster = world.party.cluster(ANA.person, same[0])
    opinion = await world.say(same[0], "misaligned", alike=cluster.digest)
    later = [(await world.put(7, seed=10 + i)).window_id for i in range(2)]
    await world.teaching.party(PEG)
    cluster = world.party.cluster(BEN.person, same[0])
    await world.say(same[0], "misaligned", BEN, alike=cluster.digest)

    await world.undo(opinion)

    expected = {one: ["misaligned"] for one in (same[0], *later)}
    assert await world.learned() == expected
    await world.close()


# -- the gate ----------------------------------------------------------------------


async def test_teaching_never_reaches_the_evidence_of_the_gate(tmp_path: Path):
    """Neither a taught label nor its end changes what people said of a drawn case."""
    from tests.coordinator.learning.teach_gate import audited_case

    world = await TeachWorld.open(tmp_path)
    window, cases = await audited_case(world)
    before = await cases()

    opinion = await world.say(window.window_id, "misaligned", BEN)
    taught = await cases()
    await world.undo(opinion, BEN)

    assert before == taught == await cases()
    assert before[0].label == "ok"
    await world.close()
