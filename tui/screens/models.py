"""The models of a family: what each is worth, which one serves, and which could."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget

from tui import look
from tui.messages import ListModels, PromoteModel, RollBack, Tell, Train
from tui.scene import Scene
from tui.screens.frame import Frame
from tui.terms import Model
from tui.widgets.learning import LearningStrip
from tui.widgets.picture import Picture
from tui.widgets.rows import Rows

SHOWN: Final = 3
"""Metrics in a row of the list; the rest is beside it."""


class ModelRows(Rows):
    """One row a model, newest first."""

    def empty(self, scene: Scene) -> str:
        """See Rows."""
        return "No model yet: the first is trained after the first few dozen answers."

    def rows(self, scene: Scene, width: int) -> Sequence[tuple[str, Content]]:
        """See Rows."""
        return [(model.digest, _row(model, width)) for model in scene.models]


class ModelFacts(Picture):
    """Everything about the chosen model."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen = ""

    def draw(self, scene: Scene, width: int) -> Sequence[Content]:
        """See Picture."""
        model = next((m for m in scene.models if m.digest == self.chosen), None)
        if model is None:
            return []
        trained = f"{model.trained_at:%Y-%m-%d %H:%M} UTC" if model.trained_at else "-"
        facts = [
            ("digest", model.digest[:16]),
            ("parent", model.parent_digest[:16] or "none"),
            ("network", model.network or "-"),
            ("trained", f"{trained}, in {look.ago(model.training_s)}"),
            ("examples", str(model.examples)),
            ("promoted", model.promoted_by or "never"),
            *((name, _metric(value)) for name, value in sorted(model.metrics.items())),
        ]
        lines = [
            look.columns((Content.styled(f" {name}", look.DIM), 24), (text, width - 24))
            for name, text in facts
        ]
        said = f" {model.text}" if model.text else ""
        return [look.cut(said, width), *lines]


def _row(model: Model, width: int) -> Content:
    lamp = look.MODELS[model.state]
    name = 13
    return look.columns(
        (Content.styled(lamp.shape, lamp.style), 2),
        (Content.styled(lamp.word, lamp.style), name),
        (Content.styled(f"model {model.version}", look.STRONG), 11),
        (Content.styled(f"{model.examples} examples", look.DIM), 15),
        (_metrics(model.metrics), width - 2 - name - 26),
    )


def _metrics(metrics: Mapping[str, float]) -> str:
    first = sorted(metrics.items())[:SHOWN]
    return "  ".join(f"{name} {_metric(value)}" for name, value in first)


def _metric(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else look.number(value)


class ModelsScreen(Frame):
    """A list, the facts of one, and what can be done about it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "promote", "promote"),
        Binding("b", "roll_back", "roll back"),
        Binding("T", "train", "train now"),
        Binding("left", "family(-1)", "family before", show=False),
        Binding("right", "family(1)", "next family", show=False),
        Binding("escape,l", "leave", "back to the board"),
    ]

    def __init__(self, families: Sequence[str]) -> None:
        super().__init__()
        self._families = tuple(families)
        self._place = 0
        self._scene: Scene | None = None
        self._rows = ModelRows(id="models")
        self._facts = ModelFacts()

    @property
    def family(self) -> str:
        """The family whose models are listed; "" when there is none."""
        return self._families[self._place] if self._families else ""

    def middle(self) -> Iterable[Widget]:
        """See Frame."""
        rows, facts, learning = self._rows, self._facts, LearningStrip()
        facts.border_title, learning.border_title = "FACTS", "LEARNING"
        yield Container(rows, facts, id="listed")
        yield learning

    def on_mount(self) -> None:
        """Fetch the list."""
        self._rows.focus()
        self._fetch()

    def _fetch(self) -> None:
        self._rows.border_title = f"MODELS OF {self.family or '-'}"
        if self.family:
            self.post_message(ListModels(self.family))

    def keys(self, scene: Scene) -> Sequence[tuple[str, str]]:
        """See Frame."""
        keys = [("p", "promote"), ("b", "roll back"), ("T", "train now")]
        if len(self._families) > 1:
            keys.append(("← →", "family"))
        return [*keys, ("Esc", "board"), ("?", "help")]

    def show(self, scene: Scene) -> None:
        """See Frame."""
        if self._scene is not None and self._news(self._scene, scene):
            self._fetch()
        self._scene = scene
        self._facts.chosen = self._rows.chosen
        super().show(scene)

    def _news(self, before: Scene, scene: Scene) -> bool:
        """Whether learning has moved on, so that the list is old."""
        old, new = (s.board.learning.get(self.family) for s in (before, scene))
        return old is not new and (
            old is None
            or new is None
            or (old.phase, old.version, old.text) != (new.phase, new.version, new.text)
        )

    def action_family(self, step: int) -> None:
        """Show another family."""
        if self._families:
            self._place = (self._place + step) % len(self._families)
            self._fetch()

    def action_promote(self) -> None:
        """Let the chosen model serve."""
        chosen = self._rows.chosen
        models = self._scene.models if self._scene else ()
        model = next((m for m in models if m.digest == chosen), None)
        if model is None:
            self.post_message(Tell("There is no model to promote."))
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
