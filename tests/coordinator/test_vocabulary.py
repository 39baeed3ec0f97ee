"""Families as they are now."""

import pytest

from coordinator.errors import ConflictError, NotFoundError
from coordinator.terms import Action, FamilyId, Label
from coordinator.vocabulary import Vocabulary
from tests.builders import FAMILY, PEG

SCRAPED = Label("scraped", Action.REJECT)


def test_a_new_label_stands_before_the_usual_one():
    vocabulary = Vocabulary({PEG: FAMILY})
    vocabulary.extend(PEG, [SCRAPED])

    assert vocabulary.family(PEG).label_names == (
        "collision",
        "misaligned",
        "missing_part",
        "scraped",
        "ok",
    )
    assert vocabulary.all() == [vocabulary.family(PEG)]
    assert FAMILY.label("scraped") is None


def test_a_label_of_the_configuration_is_left_as_it_is():
    vocabulary = Vocabulary({PEG: FAMILY})
    vocabulary.extend(PEG, [Label("ok", Action.STOP)])

    assert vocabulary.family(PEG) == FAMILY


def test_a_taken_name_is_refused():
    vocabulary = Vocabulary({PEG: FAMILY})
    vocabulary.require_new(PEG, SCRAPED)
    with pytest.raises(ConflictError) as refused:
        vocabulary.require_new(PEG, Label("ok", Action.REJECT))
    assert refused.value.code == "LABEL_EXISTS"


def test_an_unknown_family_is_named():
    with pytest.raises(NotFoundError) as refused:
        Vocabulary({}).family(FamilyId("gear"))
    assert refused.value.code == "UNKNOWN_FAMILY"
