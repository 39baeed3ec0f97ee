"""andon.toml: every key known, every number safe, every refusal names its key."""

import re
from pathlib import Path

import pytest

from coordinator.config import Settings, load, parse, template
from coordinator.errors import ConfigError
from coordinator.terms import Action, CellId, ChannelPolicy, FamilyId, TimeoutOutcome

SMALL = """
[families.peg]
default_label = "ok"
labels = [{ name = "slip", action = "rework" }, { name = "ok", action = "continue" }]
channels = [{ name = "force", unit = "N", minimum = -5, maximum = 5 }]
[cells.press-1]
family = "peg"
"""


def test_the_template_is_a_valid_configuration_with_the_defaults():
    settings = parse(template())
    family = settings.family_terms()[FamilyId("peg")]

    assert len(family.channels) == 24
    assert family.label_names[-1] == "ok"
    assert settings.family_of() == {CellId("press-1"): FamilyId("peg")}
    assert settings.gate.threshold == 0.9
    assert not settings.policies.autostart
    assert not settings.policies.auto_promote
    assert settings.requests.timeout_outcome is TimeoutOutcome.HOLD
    assert len(settings.digest) == 64


def test_the_smallest_configuration_has_every_default():
    settings = parse(SMALL)
    family = settings.family_terms()[FamilyId("peg")]

    assert family.channels[0].policy is ChannelPolicy.REQUIRED
    assert family.labels[0].action is Action.REWORK
    assert settings.digest == parse(SMALL).digest
    assert settings.digest != parse(SMALL + "[gate]\nthreshold = 0.95").digest


def test_people_may_call_things_by_their_own_words():
    settings = parse(SMALL + '[words.de]\nslip = "rutscht"\npress-1 = "Presse 1"')

    assert settings.words == {"de": {"slip": "rutscht", "press-1": "Presse 1"}}
    assert parse(SMALL).words == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("[gate]\ntreshold = 0.9", "did you mean 'threshold'"),
        ("[gat]\nthreshold = 0.9", "unknown key 'gat'"),
        ("[gate]\nthreshold = 0.2", "gate.threshold"),
        ("[gate]\nthreshold = nan", "gate.threshold"),
        ("[gate]\nthreshold = 0", "gate.threshold"),
        ("[gate]\nmaximum_age_s = 3600.0", "gate.maximum_age_s"),
        ("[gate]\naudit_share = 1.5", "gate.audit_share"),
        ('[gate]\nmode = "open"', "gate.mode"),
        ("[requests]\ndeadline_s = 0", "requests.deadline_s"),
        ("[requests]\ndeadline_s = inf", "requests.deadline_s"),
        ('[requests]\non_timeout = "approve"', "requests.on_timeout"),
        ('[coordinator]\nmodel_deadline_s = "soon"', "coordinator.model_deadline_s"),
        ("[people]\nknown_share = 0.03", "people.known_share"),
        ("[people]\nknown_share = nan", "people.known_share"),
        ('[learning]\nwatch_folder = "clips"', "whose labels are they"),
        ('[learning]\nwatch_by = "Eva Lang"', "name of a person"),
        ('[words.de]\nslip = ""', "words.de.slip"),
        ('[words.de]\nslip = "a\\u001bb"', "words.de.slip"),
        ('[words.Deutsch]\nslip = "rutscht"', "words"),
        ('[coordinator]\nlanguage = "fr"', "coordinator.language"),
        ('[cells.press-2]\nfamily = "gear"', "there is no family 'gear'"),
        ('[cells."Press 2"]\nfamily = "peg"', "ids match"),
        ('[cells."../x"]\nfamily = "peg"', "ids match"),
    ],
)
def test_what_is_unknown_or_unsafe_is_refused_by_name(change, said):
    with pytest.raises(ConfigError, match=said.replace("[", r"\[")):
        parse(SMALL + change)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "slip"', 'name = "ok"', "occurs twice"),
        ('default_label = "ok"', 'default_label = "fine"', "is not a label"),
        ('default_label = "ok"\n', "", "default_label' is missing"),
        ("minimum = -5", "minimum = 5", "minimum must be below maximum"),
        ("minimum = -5", "minimum = nan", "minimum must be below maximum"),
        ('name = "force"', 'name = "Force Z"', "ids match"),
        ('default_label = "ok"', 'default_label = "ok"\nrows = 1', "rows"),
        ('action = "rework"', 'action = "dance"', "action"),
    ],
)
def test_a_family_that_makes_no_sense_is_refused(old, new, said):
    assert old in SMALL
    with pytest.raises(ConfigError, match=said):
        parse(SMALL.replace(old, new))


def test_a_window_larger_than_a_message_may_be_is_refused():
    channels = ",".join(
        f'{{ name = "c{n}", unit = "N", minimum = 0, maximum = 1 }}' for n in range(40)
    )
    big = SMALL.replace(
        '{ name = "force", unit = "N", minimum = -5, maximum = 5 }', channels
    ).replace('default_label = "ok"', 'default_label = "ok"\nrows = 4096')
    with pytest.raises(ConfigError, match="64 KiB"):
        parse(big)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path):
    with pytest.raises(ConfigError, match="andon init"):
        load(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[gate\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path}") + ".* is not TOML"):
        load(broken)
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(broken)


def test_the_data_lie_beside_the_file(tmp_path: Path):
    file = tmp_path / "andon.toml"
    file.write_text(SMALL, encoding="utf-8")

    settings = load(file)
    assert isinstance(settings, Settings)
    assert settings.coordinator.data_dir == tmp_path / "andon-data"
    assert settings.learning.watch_folder == ""
    watched = '[learning]\nwatch_folder = "clips"\nwatch_by = "eva"\n'
    file.write_text(SMALL + watched, encoding="utf-8")
    assert load(file).learning.watch_folder == str(tmp_path / "clips")


def test_a_channel_cannot_be_stuck_after_one_row():
    alert = SMALL.replace("maximum = 5 }", "maximum = 5, stuck_rows = 1 }")

    with pytest.raises(ConfigError, match="stuck_rows 1 would hold every window"):
        parse(alert)
