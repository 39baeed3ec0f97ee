"""What a person is shown with a question."""

from dataclasses import replace

import numpy as np

from coordinator.live.request.view import (
    MOST_CHOICES,
    channel_weights,
    choices,
    view_digest,
    weights_of,
)
from coordinator.terms import (
    Action,
    Digest,
    ExampleId,
    Label,
    RequestId,
    WindowId,
)
from coordinator.terms.why import ChannelWeight, NearExample, Why
from tests.builders import (
    FAMILY,
    ROWS,
    make_family,
    make_prediction,
    make_request,
    make_samples,
    make_window,
)


def test_without_a_model_the_usual_comes_first_then_the_most_severe():
    offered = choices(None, FAMILY)

    assert [c.label for c in offered] == [
        "ok",
        "collision",
        "misaligned",
        "missing_part",
    ]
    assert {c.probability for c in offered} == {0.0}


def test_with_a_model_the_most_probable_comes_first_at_most_four():
    labels = (
        *FAMILY.labels,
        Label("scraped", Action.REJECT),
        Label("x", Action.REWORK),
    )
    family = make_family(labels=labels)
    offered = choices(make_prediction("misaligned", 0.7), family)

    assert offered[0].label == "misaligned"
    assert offered[0].action is Action.REWORK
    assert len(offered) == MOST_CHOICES


def test_the_view_changes_with_everything_an_answer_rests_on():
    request = make_request()
    others = [
        make_request(),
        make_request(request_id=RequestId("r-other")),
        make_request(window_digest=Digest("aa" * 32)),
    ]
    labels = (*FAMILY.labels, Label("scraped", Action.REJECT))

    digests = {view_digest(r, FAMILY) for r in (request, *others)}
    assert len(digests) == 4
    assert view_digest(request, make_family(labels=labels)) not in digests


def test_the_answers_of_a_prediction_set_are_offered_and_no_others():
    prediction = make_prediction("misaligned", 0.7)

    offered = choices(prediction, FAMILY, ("misaligned", "ok"))

    assert [c.label for c in offered] == ["misaligned", "ok"]
    assert offered[0].probability == 0.7


def test_the_view_changes_with_the_reasons_that_were_shown():
    request = make_request()
    moved = ChannelWeight("force_z", 0.6, 3, 5, (0.0, 1.0))
    whys = [
        Why(),
        Why(weights=(moved,)),
        Why(weights=(replace(moved, rows=(0.1, 1.0)),)),
        Why(plausible=("ok",)),
        Why(nearest=(NearExample(ExampleId("x-1"), WindowId("w-1"), "ok", 0.5),)),
        Why(lacks=("too late.",)),
    ]

    digests = {view_digest(request, FAMILY, why.digest) for why in whys}

    assert len(digests) == len(whys)
    assert view_digest(request, FAMILY) not in digests
    assert whys[1].in_short.digest != whys[1].digest
    assert whys[1].in_short == whys[2].in_short


def test_weights_say_for_and_against_row_by_row():
    values = np.zeros((4, 3))
    values[1:3, 0] = -3.0
    values[0, 2] = 2.0

    first, second = weights_of(values, ["a", "b", "c"])

    assert (first.channel, first.weight, first.against) == ("a", 0.75, True)
    assert (first.first_row, first.last_row) == (1, 2)
    assert first.rows == (0.0, 1.0, 1.0, 0.0)
    assert (second.channel, second.weight, second.against) == ("c", 0.25, False)
    assert second.rows[0] == 0.6667


def test_the_channel_that_stands_out_is_named_with_its_rows():
    usual = np.stack([make_samples(seed=1), np.full((ROWS, 4), 0.5, dtype=np.float32)])
    samples = make_samples(seed=1)
    samples[5:8, 2] += 100.0
    weights = channel_weights(make_window(samples=samples), usual, FAMILY)

    assert [w.channel for w in weights] == ["force_z"]
    assert weights[0].weight == 1.0
    assert (weights[0].first_row, weights[0].last_row) == (5, 7)


def test_only_the_part_around_the_peak_is_marked():
    usual = np.stack([make_samples(seed=1), np.full((ROWS, 4), 0.5, dtype=np.float32)])
    samples = make_samples(seed=1)
    samples[1, 2] += 15.0
    samples[5:7, 2] += 24.0
    weights = channel_weights(make_window(samples=samples), usual, FAMILY)

    assert (weights[0].first_row, weights[0].last_row) == (5, 6)


def test_a_window_like_all_others_has_nothing_that_stands_out():
    usual = np.stack([make_samples(seed=1), np.full((ROWS, 4), 0.5, dtype=np.float32)])

    assert (
        channel_weights(make_window(samples=make_samples(seed=1)), usual, FAMILY) == ()
    )


def test_numbers_that_are_none_stand_out_and_break_nothing():
    samples = make_samples()
    samples[2, 1] = np.nan
    samples[3, 1] = np.inf
    weights = channel_weights(make_window(samples=samples), None, FAMILY)

    assert weights[0].channel == "joint_effort"
    assert np.isfinite(weights[0].weight)
