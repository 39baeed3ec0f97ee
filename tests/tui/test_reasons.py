"""Why it asked, as a person sees it: sentences, marks, answers, alike examples."""

import math
from dataclasses import replace

import pytest

from tests.tui.conftest import until
from tests.tui.fake_coordinator import FakeCoordinator
from tests.tui.pilot import LARGE, SMALL, desk
from tui.evidence import Choice, Evidence, Near, Trace, Why
from tui.terms import Action, Channel, Label, Request
from tui.widgets.answers import pages, set_in_short
from tui.widgets.reasons import asked, in_short, reasons
from tui.widgets.strips import Mark, Strips, marked
from tui.words import WORDS, speak

LABELS = (
    Label("collision", Action.STOP, "collision"),
    Label("slip", Action.REWORK, "slipped"),
    Label("ok", Action.CONTINUE, "good"),
)
EVIDENCE = Evidence(
    Request("r-1", "press-1"),
    "digest",
    traces=(
        Trace(Channel("force", "N"), (0.0, 1.0, 5.0, 1.0), 0.6, 2, 2),
        Trace(Channel("speed", "m/s"), (1.0, 1.0, 1.0, 1.0), 0.3, 0, 3, against=True),
    ),
    choices=(Choice("slip", 0.62, Action.REWORK),),
    labels=LABELS,
    beliefs={"slip": 0.62, "ok": 0.3, "collision": 0.08},
    novelty=0.4,
    nearest=(Near("slip", 0.31), Near("ok", 0.8)),
    why=Why(
        code="LOW_CONFIDENCE",
        measured=0.62,
        limit=0.9,
        about="slip",
        coverage=0.95,
        held_out=40,
        needed=19,
        plausible=1,
    ),
)


def said(evidence: Evidence) -> list[str]:
    return [text for text, _ in reasons(evidence)]


def test_the_number_that_decided_stands_against_its_limit() -> None:
    assert said(EVIDENCE)[0] == "It is 0.62 sure, and decides alone from 0.90 on."


def test_two_numbers_that_differ_little_are_told_apart() -> None:
    why = replace(EVIDENCE.why, measured=0.8999, limit=0.9)

    assert said(replace(EVIDENCE, why=why))[0].startswith("It is 0.8999 sure")


def test_what_moved_the_guess_is_named_with_what_speaks_against_it() -> None:
    assert "What moved 'slipped': force 60 %, speed 30 % (against)." in said(EVIDENCE)


def test_what_is_new_is_said_to_be_new() -> None:
    why = Why(code="NOVEL", measured=2.5, limit=1.0, about="novelty")

    told = said(replace(EVIDENCE, why=why, novelty=2.5))

    assert told[0] == "Unlike all examples: novelty 2.50, limit 1.00."
    assert told[1].startswith("New about it: force 60 %")


def test_the_set_says_how_often_it_holds_and_when_it_is_too_early() -> None:
    early = replace(EVIDENCE.why, held_out=7)
    cut = replace(EVIDENCE.why, plausible=6)

    assert "In 95 % of such questions it is the first answer." in said(EVIDENCE)
    assert set_in_short(EVIDENCE) == "in 95 % it is the first"
    assert "Nothing is ruled out yet: 7 of 19 answers to test it on." in said(
        replace(EVIDENCE, why=early)
    )
    assert set_in_short(replace(EVIDENCE, why=early)) == ""
    assert "6 answers are plausible: see other labels too." in said(
        replace(EVIDENCE, why=cut)
    )


def test_what_could_not_be_found_out_is_said() -> None:
    why = replace(EVIDENCE.why, lacks=("It takes too long.",))

    assert said(replace(EVIDENCE, why=why))[-1] == "It takes too long."


def test_the_reasons_are_told_in_german() -> None:
    speak("de")
    try:
        told = said(EVIDENCE)
    finally:
        speak("en")

    assert told[0] == "Es ist zu 0.62 sicher und entscheidet ab 0.90 allein."


def test_to_correct_costs_no_more_keys_than_to_agree() -> None:
    (first,) = pages(EVIDENCE)

    assert [(o.label, o.plausible) for o in first] == [
        ("slip", True),
        ("ok", False),
        ("collision", False),
    ]


def test_without_a_set_every_answer_is_plausible() -> None:
    (first,) = pages(replace(EVIDENCE, choices=()))

    assert all(option.plausible for option in first)


def test_rows_are_marked_by_how_much_they_count() -> None:
    trace = Trace(Channel("f"), (0.0,) * 4, 1.0, 0, 3, rows=(0.0, 0.3, 1.0, 0.1))

    assert [m.value for m in marked(trace, 8)] == [
        *["none"] * 2,
        *["faint"] * 2,
        *["strong"] * 2,
        *["none"] * 2,
    ]


def test_one_row_that_counts_is_seen_among_many() -> None:
    rows = tuple(1.0 if row == 90 else 0.0 for row in range(128))
    trace = Trace(Channel("f"), (0.0,) * 128, 1.0, 90, 90, rows=rows)

    marks = marked(trace, 40)

    assert marks.count(Mark.STRONG) == 1
    assert marks[90 * 40 // 128] is Mark.STRONG


def test_without_rows_the_part_is_marked() -> None:
    trace = Trace(Channel("f"), (0.0,) * 4, 1.0, 2, 3)

    assert marked(trace, 4) == [Mark.NONE, Mark.NONE, Mark.STRONG, Mark.STRONG]


@pytest.mark.slow
async def test_on_a_large_screen_the_alike_examples_stand_beside(
    coordinator: FakeCoordinator,
) -> None:
    coordinator.put_cell("press-2", "WORKING")
    coordinator.ask("press-2", 17, {"misaligned": 0.55, "grip_slip": 0.3, "ok": 0.15})
    async with desk(coordinator, LARGE) as ana:
        await ana.sees("ASKING")
        await ana.press("n")
        await ana.sees("this window", "most alike, 0.31: misaligned insertion")

        assert tuple(ana.app.screen.query_one(Strips).shown) == (0, 1, 2)
        assert "then, 0.51: part slipped in the gripper" in ana.text
        assert "It is 0.55 sure, and decides alone from 0.90 on." in ana.text


@pytest.mark.slow
async def test_on_a_small_screen_a_key_turns_from_one_to_the_next(
    coordinator: FakeCoordinator,
) -> None:
    coordinator.put_cell("press-2", "WORKING")
    coordinator.ask("press-2", 17, {"misaligned": 0.55, "grip_slip": 0.3, "ok": 0.15})
    async with desk(coordinator, SMALL) as ana:
        await ana.sees("ASKING")
        await ana.press("n")
        await ana.sees("yours", "n alike", "in 95 % one of the first 3")
        assert "most alike" not in ana.text
        await ana.press("n")
        await ana.sees("most alike, 0.31: misaligned insertion  (n: next)")
        await ana.press("n")
        await ana.sees("then, 0.51: part slipped in the gripper")
        await ana.press("n")
        await ana.sees_no("then, 0.51")

        strips = ana.app.screen.query_one(Strips)
        await until(lambda: tuple(strips.shown) == (0,))


def test_a_channel_without_numbers_has_no_scale_and_breaks_nothing() -> None:
    trace = Trace(Channel("f"), (math.nan,) * 4, 0.0, present=False)

    assert marked(trace, 3) == [Mark.NONE] * 3


def test_why_it_asks_is_said_in_the_language_of_the_person_and_never_leaks() -> None:
    asked = replace(EVIDENCE, reason="not sure it is slip: 0.62, threshold 0.90.")
    made_up = replace(asked, why=replace(asked.why, code="FROM_TOMORROW"))

    english = in_short(asked)
    try:
        speak("de")
        german, newer, blind = map(in_short, (asked, made_up, asked.hidden()))
    finally:
        speak("en")

    assert english == asked.reason
    assert german == ("Nicht sicher genug. (not sure it is slip: 0.62, threshold 0.90)")
    assert (newer, blind) == (asked.reason, "")


GUESSED = Request(
    "r-1",
    "press-1",
    guess="slip",
    reason="not sure it is slip: 0.62, threshold 0.90.",
    code="LOW_CONFIDENCE",
)


@pytest.mark.parametrize(
    ("facts", "german"),
    [
        pytest.param({}, "Nicht sicher genug: abgerutscht?", id="names-the-guess"),
        pytest.param({"guess": ""}, "Nicht sicher genug.", id="without-a-guess"),
        pytest.param({"code": "NOVEL"}, "Anders als alles Bekannte.", id="new"),
        pytest.param({"code": ""}, GUESSED.reason, id="older-coordinator"),
        pytest.param({"code": "TOMORROW"}, GUESSED.reason, id="newer-coordinator"),
        pytest.param({"guess": "", "reason": "", "code": ""}, "", id="asked-blind"),
        pytest.param({"guess": "{odd}"}, "Nicht sicher genug: {odd}?", id="odd-label"),
    ],
)
def test_a_row_says_why_it_asks_in_german(facts, german) -> None:
    WORDS.learn({"de": {"slip": "abgerutscht"}})
    request = replace(GUESSED, **facts)

    english = asked(request)
    speak("de")

    assert english == request.reason
    assert asked(request) == german


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
@pytest.mark.parametrize("older", [False, True], ids=["code", "sentence-alone"])
async def test_the_board_says_why_it_asks_in_german(coordinator, size, older) -> None:
    coordinator.older = older
    coordinator.words = {"de": {"grip_slip": "abgerutscht"}}
    coordinator.ask("press-2", 17, {"grip_slip": 0.6, "ok": 0.4})
    said = "grip_slip at 0.60" if older else "Nicht sicher genug: abgerutscht?"

    async with desk(coordinator, size) as ana:
        speak("de")
        await ana.sees("FRAGEN")
        await ana.until(lambda: ana.text.count(said) == 2)  # of the cell, in the queue
