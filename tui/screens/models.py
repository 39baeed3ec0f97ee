"""The models of a family: what serves, what is certified, what each is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.messages import ListModels, LookAtModel, PromoteModel, RollBack, Tell, Train
from tui.past import CasesAsked, Gate, Report
from tui.scene import Scene
from tui.screens.cases import CasesScreen
from tui.screens.frame import Frame
from tui.terms import Model
from tui.widgets.learning import LearningNow
from tui.widgets.picture import Picture
from tui.widgets.report import Confusion, Reliability, RiskCurve, Sentences
from tui.widgets.rows import Rows
from tui.words import named, say

SHOWN: Final = ("accuracy", "coverage_at_threshold", "error_at_threshold", "ece")
"""Metrics in a row of the list, as far as there is room."""

PAGES: Final = ("report", "confusion", "curve", "reliability", "facts")
"""What is shown of a model, one at a time where the screen is small."""


class ModelRows(Rows):
    """One row a model, newest first."""

    def empty(self, scene: Scene) -> str:
        """See Rows."""
        return say("models.none")

    def rows(self, scene: Scene, width: int) -> Sequence[tuple[str, Content]]:
        """See Rows."""
        return [(model.digest, _row(model, width)) for model in scene.models]


class GateLine(Picture):
    """What serves and what is certified, in a line."""

    def __init__(self) -> None:
        super().__init__()
        self.family = ""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        gate = scene.past.gates.get(self.family)
        stands = scene.board.learning.get(self.family)
        state = stands.gate if stands else gate.state if gate else ""
        words, style = look.gate(state)
        text = (stands.gate_text if stands else "") or words
        first = Content.assemble(
            (f"{say('numbers.gate')} {state or '-'} ", style), (text, look.DIM)
        )
        wrapped = first.wrap(max(20, width - 2))[:2]
        lines = [look.cut(Content(" ") + line, width) for line in wrapped]
        if gate is not None and gate.groups:
            lines.append(look.cut(f"   {_certified(gate)}", width).stylize(look.DIM))
        return lines


def _certified(gate: Gate) -> str:
    groups = "; ".join(
        say("models.group", labels=", ".join(labels), threshold=f"{threshold:.2f}")
        for labels, threshold in gate.groups
    )
    alpha, sure = look.percent(gate.alpha), look.percent(1.0 - gate.delta)
    return say("models.certified", alpha=alpha, sure=sure, groups=groups)


class ModelFacts(Picture):
    """Where the chosen model comes from, and every metric."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.chosen = ""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        model = next((m for m in scene.models if m.digest == self.chosen), None)
        if model is None:
            return []
        trained = f"{model.trained_at:%Y-%m-%d %H:%M} UTC" if model.trained_at else "-"
        took = say("models.took", time=look.ago(model.training_s))
        facts = [
            (say("models.digest"), model.digest[:16]),
            (say("models.parent"), model.parent_digest[:16] or "-"),
            (say("models.network"), model.network or "-"),
            (say("models.trained"), f"{trained}, {took}"),
            (say("models.examples"), str(model.examples)),
            (say("models.promoted_by"), model.promoted_by or "-"),
        ]
        measured = [(k, _metric(v)) for k, v in sorted(model.metrics.items())]
        across = 2 if width >= 70 else 1
        said = f" {model.text}" if model.text else ""
        lines = [look.cut(said, width), *(_fact(*fact, width) for fact in facts)]
        for first in range(0, len(measured), across):
            pair = measured[first : first + across]
            lines.append(Content("").join([_fact(*f, width // across) for f in pair]))
        return lines


def _fact(name: str, text: str, width: int) -> Content:
    about = min(26, width - 9)
    return look.columns(
        (Content.styled(f" {name}", look.DIM), about), (text, width - about)
    )


def _row(model: Model, width: int) -> Content:
    lamp = look.MODELS[model.state]
    name = 15
    version = say("models.version", version=model.version)
    examples = say("models.of_examples", count=model.examples)
    return look.columns(
        (Content.styled(lamp.shape, lamp.style), 2),
        (Content.styled(lamp.word, lamp.style), name),
        (Content.styled(version, look.STRONG), 12),
        (Content.styled(examples, look.DIM), 16),
        (_metrics(model.metrics), width - 2 - name - 28),
    )


def _metrics(metrics: Mapping[str, float]) -> str:
    telling = [name for name in SHOWN if name in metrics]
    others = sorted(set(metrics) - set(SHOWN))
    first = [(name, metrics[name]) for name in (*telling, *others)[: len(SHOWN)]]
    return "  ".join(
        f"{named(f'metric.{name}', name)} {_metric(value)}" for name, value in first
    )


def _metric(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else look.number(value)


class ModelsScreen(Frame):
    """A list, the report of one with what lies behind it, and what can be done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "cases", "keys.cases"),
        Binding("v", "page(1)", "keys.next_page"),
        Binding("s", "source", "keys.source"),
        Binding("p", "promote", "keys.promote"),
        Binding("b", "roll_back", "keys.roll_back"),
        Binding("T", "train", "keys.train"),
        Binding("left_square_bracket", "family(-1)", "keys.family", show=False),
        Binding("right_square_bracket", "family(1)", "keys.family"),
        Binding("escape,l", "leave", "keys.back"),
    ]

    def __init__(self, families: Sequence[str]) -> None:
        super().__init__()
        self._families = tuple(families)
        self._place = 0
        self._page = 0
        self._held_out = True
        self._asked = ""
        self._scene: Scene | None = None
        self._rows = ModelRows(id="models")
        self._gate = GateLine()
        self._sentences = Sentences(id="report")
        self._confusion = Confusion(id="confusion")
        self._curve = RiskCurve(id="curve")
        self._reliability = Reliability(id="reliability")
        self._facts = ModelFacts(id="facts")
        self._learning = LearningNow(id="learning")

    @property
    def family(self) -> str:
        """The family whose models are listed; "" when there is none."""
        return self._families[self._place] if self._families else ""

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        yield self._rows
        yield self._gate
        with Container(id="panes"):
            yield self._sentences
            yield self._facts
            yield self._confusion
            yield self._curve
            yield self._reliability
        yield self._learning

    def on_mount(self) -> None:
        """Fetch the list."""
        self._rows.focus()
        self._turn()
        self._fetch()

    def _fetch(self) -> None:
        self._asked = ""
        if self.family:
            self.post_message(ListModels(self.family))

    def _turn(self) -> None:
        """Show the page that is open; all of them where there is room."""
        panes = (
            self._sentences,
            self._confusion,
            self._curve,
            self._reliability,
            self._facts,
        )
        for number, pane in enumerate(panes):
            pane.set_class(number == self._page, "-open")

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        keys = [
            ("Enter", say("keys.cases")),
            ("v", say("keys.page")),
            ("s", say("keys.live" if self._held_out else "keys.validation")),
            ("p", say("keys.promote")),
            ("b", say("keys.roll_back")),
            ("T", say("keys.train")),
        ]
        if len(self._families) > 1:
            keys.append(("]", say("keys.family")))
        return [*keys, ("Esc", say("keys.board")), ("?", say("keys.help"))]

    def show(self, scene: Scene) -> None:
        """See Frame."""
        if not self._families and scene.board.families:
            # It was opened before the first picture was here.
            self._families = tuple(sorted(scene.board.families))
            self._fetch()
        elif self._scene is not None and self._news(self._scene, scene):
            self._fetch()
        self._scene = scene
        chosen = self._rows.chosen
        if chosen and chosen != self._asked:
            self._asked = chosen
            self.post_message(LookAtModel(chosen, self.family))
        self._facts.chosen = chosen
        self._gate.family = self.family
        report = self._report(scene)
        for pane in (
            self._sentences,
            self._confusion,
            self._curve,
            self._reliability,
        ):
            pane.report = report
            pane.gate = scene.past.gates.get(self.family)
        self._titles(report)
        super().show(scene)

    def _report(self, scene: Scene) -> Report | None:
        reports = scene.past.reports
        if reports is None or reports.digest != self._rows.chosen:
            return None
        return reports.held_out if self._held_out else reports.live

    def _titles(self, report: Report | None) -> None:
        source = say("report.held_out" if self._held_out else "report.live")
        count = f" ({report.cases})" if report else ""
        self._rows.border_title = say("models.title", family=self.family or "-")
        for pane, page in (
            (self._sentences, "report"),
            (self._confusion, "confusion"),
            (self._curve, "curve"),
            (self._reliability, "reliability"),
        ):
            title = say(f"report.page.{page}").upper()
            pane.border_title = f"{title}: {source}{count}"
        self._facts.border_title = say("report.page.facts").upper()
        self._learning.border_title = say("board.learning")
        self._learning.family = self.family

    def _news(self, before: Scene, scene: Scene) -> bool:
        """Whether learning has moved on, so that the list is old."""
        old, new = (s.board.learning.get(self.family) for s in (before, scene))
        return old is not new and (
            old is None
            or new is None
            or (old.phase, old.version, old.text) != (new.phase, new.version, new.text)
        )

    @property
    def _model(self) -> Model | None:
        models = self._scene.models if self._scene else ()
        return next((m for m in models if m.digest == self._rows.chosen), None)

    def action_page(self, step: int) -> None:
        """Show the next page of the report."""
        self._page = (self._page + step) % len(PAGES)
        self._turn()
        confusion = PAGES[self._page] == "confusion"
        (self._confusion if confusion else self._rows).focus()

    def action_source(self) -> None:
        """Its validation, or what people said of its live windows."""
        self._held_out = not self._held_out
        if self._scene is not None:
            self.show(self._scene)

    def action_cases(self) -> None:
        """Open the cases behind the number under the cursor, or all mistakes."""
        model = self._model
        if model is None:
            return
        pair = self._confusion.chosen if self._confusion.has_focus else None
        truth, said = pair or ("", "")
        asked = CasesAsked(
            self.family,
            model.digest,
            model.version,
            self._held_out,
            truth=truth,
            said=said,
            wrong=pair is None,
        )
        self.app.push_screen(CasesScreen(asked))

    def action_family(self, step: int) -> None:
        """Show another family."""
        if self._families:
            self._place = (self._place + step) % len(self._families)
            self._fetch()

    def action_promote(self) -> None:
        """Let the chosen model serve; its report stays in sight."""
        model = self._model
        if model is None:
            self.post_message(Tell(say("models.nothing_to_promote")))
        else:
            self.post_message(PromoteModel(model.digest, model.version))

    def action_roll_back(self) -> None:
        """Let the model before serve."""
        if self.family:
            self.post_message(RollBack(self.family))

    def action_train(self) -> None:
        """Train now."""
        if self.family:
            self.post_message(Train(self.family))

    def action_leave(self) -> None:
        """Go back to the board."""
        self.dismiss()
