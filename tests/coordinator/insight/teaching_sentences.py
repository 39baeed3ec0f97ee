"""What `explain` says of the labelling of stored windows."""

from dataclasses import replace

from coordinator.terms import Digest, ExampleId, WindowId, events
from coordinator.terms.teaching import Opinion, OpinionId, Pick
from tests.builders import ANA, NOON, PEG

W1 = WindowId("w-1")
SEEN = Digest("ab" * 32)
OPINION = Opinion(
    opinion_id=OpinionId("o-1"),
    family=PEG,
    window_id=W1,
    window_digest=SEEN,
    person=ANA.person,
    device=ANA.device,
    said_at=NOON,
    label="slip",
    view_digest=SEEN,
    pick=Pick.MOST,
    chance=1.0,
    example_id=ExampleId("e-1"),
)

TEACHING_SENTENCES = [
    (
        events.ExampleReinstated(ExampleId("e-1"), "slip is settled."),
        "example e-1 is used again: slip is settled.",
    ),
    (
        events.OpinionGiven(OPINION, ANA),
        "ana said slip of window w-1 (it teaches most), opinion o-1.",
    ),
    (
        events.OpinionGiven(
            replace(OPINION, like=WindowId("w-9"), pick=Pick.ALIKE), ANA
        ),
        "ana said slip of window w-1, unseen, as of window w-9 (it is nearly the same",
    ),
    (
        events.OpinionGiven(replace(OPINION, label="", pick=Pick.SECOND), ANA),
        "ana could not tell what window w-1 is (a second opinion was wanted)",
    ),
    (
        events.OpinionTakenBack(OpinionId("o-1"), ANA),
        "opinion o-1 was taken back by ana",
    ),
    (
        events.LabelDecided(PEG, W1, SEEN, "ok", ANA, "seen"),
        'ana decided that window w-1 is ok, saying "seen".',
    ),
    (
        events.LabelDecided(PEG, W1, SEEN, "", ANA),
        "ana decided that nobody can tell what window w-1 is.",
    ),
]
