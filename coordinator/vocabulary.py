"""The families as they are now: what the configuration says, plus added labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from coordinator.errors import ConflictError, unknown_family
from coordinator.terms import Action, Family, FamilyId, Label


class Vocabulary:
    """The present meaning of every family. It lives on the event loop."""

    def __init__(
        self,
        configured: Mapping[FamilyId, Family],
        words: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Begin with what is configured.

        Args:
            configured: Every family.
            words: What people call labels, channels and cells, by language and id.
        """
        self._families = dict(configured)
        self.words: Mapping[str, Mapping[str, str]] = dict(words or {})

    def family(self, family_id: FamilyId) -> Family:
        """Return a family with every label known now; raises NotFoundError."""
        family = self._families.get(family_id)
        if family is None:
            raise unknown_family(family_id, self.names)
        return family

    def action_of(self, family_id: FamilyId, label: str) -> Action | None:
        """What a label lets a cell do; None where family or label are gone."""
        family = self._families.get(family_id)
        found = None if family is None else family.label(label)
        return None if found is None else found.action

    @property
    def names(self) -> list[FamilyId]:
        """The ids of all families."""
        return sorted(self._families)

    def all(self) -> list[Family]:
        """Return every family."""
        return list(self._families.values())

    def extend(self, family_id: FamilyId, labels: Iterable[Label]) -> None:
        """Take in labels that are already durable; a known name is left alone."""
        family = self.family(family_id)
        new = tuple(x for x in labels if family.label(x.name) is None)
        default = family.label_names.index(family.default_label)
        self._families[family_id] = replace(
            family,
            labels=(*family.labels[:default], *new, *family.labels[default:]),
        )

    def require_new(self, family_id: FamilyId, label: Label) -> None:
        """Refuse a label whose name is taken."""
        if self.family(family_id).label(label.name) is not None:
            raise ConflictError(f"label '{label.name}' exists.", "LABEL_EXISTS")
