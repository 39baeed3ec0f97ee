"""Any order of windows, answers, people, swaps and hours: it acts only by right."""

from datetime import datetime

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from coordinator.live.gate.standing import GateEvent
from coordinator.model.risk.binomial import least_cases, p_values
from coordinator.terms import (
    NO_DIGEST,
    Certificate,
    Closing,
    Decision,
    DecisionId,
    Digest,
    GateState,
    events,
)
from tests.builders import FAMILY, MODEL, PEG, make_prediction
from tests.coordinator.live.gate.standing_world import (
    ENGINEER,
    OTHER_MODEL,
    PLAN,
    StandingWorld,
)

pytestmark = pytest.mark.slow


class GateMachine(RuleBasedStateMachine):
    """The machine beside a model of it that only knows what was made durable."""

    def __init__(self) -> None:
        super().__init__()
        self.world = StandingWorld(carried=False)
        self.certificate: Certificate | None = None
        self.word_until: datetime | None = None
        self.shut = False
        self.asked: list[DecisionId] = []
        self.numbers = 0

    # -- what happens ----------------------------------------------------------------

    @initialize(count=st.sampled_from([0, 180, 240]))
    def good_windows(self, count: int) -> None:
        self.windows(count, 0.0, None, answered=True)
        self.made_durable()

    @rule(
        count=st.sampled_from([1, 10, 80]),
        wrong=st.sampled_from([0.0, 0.0, 0.01, 0.4]),
        drawn=st.sampled_from([None, None, True, False]),
        answered=st.sampled_from([True, True, True, False]),
    )
    def windows(
        self, count: int, wrong: float, drawn: bool | None, answered: bool
    ) -> None:
        for _ in range(count):
            self.numbers += 1
            truth = "misaligned" if self.world.rng.random() < wrong else None
            self.world.window(truth=truth, drawn=drawn, answered=answered)
            if not answered and drawn is not False:
                self.asked.append(DecisionId(f"d-{self.numbers}"))

    @precondition(lambda self: self.asked)
    @rule(truth=st.sampled_from(["ok", "misaligned", ""]), all_of_them=st.booleans())
    def late_answers(self, truth: str, all_of_them: bool) -> None:
        for _ in range(len(self.asked) if all_of_them else 1):
            self.world.standing.settle(self.asked.pop(0), truth, self.world.now)

    @rule()
    def made_durable(self) -> None:
        for due in self.world.standing.due(self.world.now):
            self._durable(due)

    @rule(hours=st.sampled_from([0.5, 8.0]))
    def granted(self, hours: float) -> None:
        self.made_durable()
        self.world.grant(hours=hours)
        self._remember(self.world.happened[-1])

    @rule()
    def closed(self) -> None:
        self.world.standing.close(
            events.GateClosed(PEG, Closing.PERSON, "closed by eva.", (), ENGINEER)
        )
        self.shut = True

    @rule(hours=st.sampled_from([0.1, 5.0, 90.0]))
    def hours_pass(self, hours: float) -> None:
        self.world.pass_time(hours=hours)

    @rule(model=st.sampled_from([MODEL, MODEL, OTHER_MODEL, NO_DIGEST]))
    def model_serves(self, model: Digest) -> None:
        if model != self.world.model:
            self.certificate = None
            self.asked.clear()
        self.world.model = model
        self.world.standing.serve(model)

    # -- what is known ---------------------------------------------------------------

    def _durable(self, due: GateEvent) -> None:
        self.world.standing.applied(due)
        self._remember(due)

    def _remember(self, happened: GateEvent) -> None:
        match happened:
            case events.GateCertified():
                self.certificate, self.shut = happened.certificate, False
            case events.ProvisionalGranted():
                self.word_until, self.shut = happened.until, False
            case events.GateClosed():
                self.certificate = self.word_until = None
                self.shut = True
            case events.EvidenceRestarted():
                pass

    @invariant()
    def acts_only_by_right(self) -> None:
        world = self.world
        event(f"state {world.state().name}")
        gate = world.standing.gate(world.now)
        sure = make_prediction("ok", 0.999, 0.0)
        if world.model:
            sure = type(sure)(
                world.model, sure.labels, sure.logits, sure.probabilities, sure.novelty
            )
        if gate(sure, [], FAMILY).decision is not Decision.ACT:
            return
        assert world.model
        proof, until = self.certificate, self.word_until
        by_proof = (
            proof is not None
            and proof.model_digest == world.model
            and proof.issued_at <= world.now < proof.until
        )
        by_word = until is not None and world.now < until
        assert by_proof or by_word
        assert not self.shut

    @invariant()
    def a_certificate_rests_on_enough(self) -> None:
        proof = self.certificate
        if proof is None:
            return
        for group in proof.groups:
            assert group.cases >= least_cases(proof.alpha, proof.delta)
            chance = float(p_values(group.losses, group.cases, proof.alpha))
            assert chance <= proof.delta
        assert proof.until - proof.issued_at == PLAN.life

    @invariant()
    def what_is_shut_asks_and_what_is_open_says_until_when(self) -> None:
        world = self.world
        state = world.standing.state(world.now)
        gate = world.standing.gate(world.now)
        assert gate.ask_all == (state in {GateState.ASK_ALL, GateState.CLOSED})
        assert world.standing.text(world.now)


TestGateMachine = GateMachine.TestCase
TestGateMachine.settings = settings(max_examples=200, stateful_step_count=30)
