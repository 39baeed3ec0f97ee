"""The tables, as numbered steps that are never edited once released.

`journal` is the record; `meta` says which store this is. Every other table is the fold
of the journal: it can be made again from the entries, and `verify` does so. Each of
their rows carries the seq of the entry that made it.
"""

from __future__ import annotations

import sqlite3
from typing import Final

import sqlite_utils
from sqlite_utils import Migrations

from coordinator.errors import SchemaVersionError, StoreIntegrityError

APPLICATION_ID: Final = 0x616E646E
"""In the file's header: this SQLite file is andon's."""

MIGRATIONS: Final = Migrations("andon")

FOLDED: Final = (
    "cells",
    "unconfirmed",
    "decisions",
    "permits",
    "windows",
    "requests",
    "given",
    "arrivals",
    "skips",
    "first_opinions",
    "unheard",
    "known_cases",
    "clips",
    "examples",
    "labels",
    "models",
    "gates",
    "people",
    "person_sessions",
    "held_by",
    "opinions",
    "decided",
    "replies",
    "mentions",
)
"""The tables that are the fold of the journal."""
SINCE: Final = {
    "clips": 2,
    "unconfirmed": 3,
    "gates": 4,
    "given": 5,
    "people": 6,
    "person_sessions": 6,
    "held_by": 6,
    "opinions": 7,
    "decided": 7,
    "arrivals": 8,
    "skips": 8,
    "first_opinions": 8,
    "unheard": 8,
    "known_cases": 9,
}
"""The step that made a table, where it was not the first."""


@MIGRATIONS()
def step_1_first_tables(db: sqlite_utils.Database) -> None:
    """Make the tables of the first version."""
    for statement in (*_RECORD, *_LIVE, *_LEARNING):
        db.execute(statement)


@MIGRATIONS()
def step_2_clips(db: sqlite_utils.Database) -> None:
    """Make the table of full-rate clips."""
    for statement in _CLIPS:
        db.execute(statement)


@MIGRATIONS()
def step_3_unconfirmed_holds(db: sqlite_utils.Database) -> None:
    """Make the table of cells whose robot does not confirm that it holds."""
    db.execute(_UNCONFIRMED)


@MIGRATIONS()
def step_4_gates(db: sqlite_utils.Database) -> None:
    """Make the table of what each family's gate rests on."""
    db.execute(_GATES)


@MIGRATIONS()
def step_5_answers_that_wait(db: sqlite_utils.Database) -> None:
    """Make the table of answers that may still be taken back."""
    db.execute(_GIVEN)


@MIGRATIONS()
def step_6_people(db: sqlite_utils.Database) -> None:
    """Make the tables of accounts, of people's sessions, and of who holds a cell."""
    for statement in _PEOPLE:
        db.execute(statement)


@MIGRATIONS()
def step_7_opinions(db: sqlite_utils.Database) -> None:
    """Make the tables of what people say of stored windows."""
    for statement in _TEACHING:
        db.execute(statement)


@MIGRATIONS()
def step_8_hands(db: sqlite_utils.Database) -> None:
    """Make the tables of arrivals, of who skipped what, of opinions without effect."""
    for statement in _HANDS:
        db.execute(statement)


@MIGRATIONS()
def step_9_known_cases(db: sqlite_utils.Database) -> None:
    """Make the table of requests whose right answer was known."""
    for statement in _KNOWN:
        db.execute(statement)


_RECORD: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE journal (
        seq INTEGER PRIMARY KEY, recorded_at TEXT NOT NULL, kind TEXT NOT NULL,
        payload TEXT NOT NULL, hash TEXT NOT NULL) STRICT""",
    # Which entries speak about an id: what `explain` walks along.
    """CREATE TABLE mentions (
        about TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (about, seq)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE replies (
        person TEXT NOT NULL, key TEXT NOT NULL, payload_digest TEXT NOT NULL,
        reply TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (person, key)) STRICT, WITHOUT ROWID""",
)

_LIVE: Final = (
    """CREATE TABLE cells (
        cell_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, reasons TEXT NOT NULL,
        state TEXT NOT NULL, act INTEGER NOT NULL, ask INTEGER NOT NULL,
        hold INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    # Verdicts and releases: everything a permit may rest on, with a request's answer.
    """CREATE TABLE decisions (
        seq INTEGER PRIMARY KEY, decision_id TEXT NOT NULL UNIQUE,
        cell_id TEXT NOT NULL, epoch INTEGER NOT NULL, verdict TEXT NOT NULL,
        window_id TEXT NOT NULL, window_digest TEXT NOT NULL,
        label TEXT NOT NULL) STRICT""",
    "CREATE INDEX decisions_of_window ON decisions (window_id)",
    """CREATE TABLE permits (
        permit_id TEXT PRIMARY KEY, cell_id TEXT NOT NULL, epoch INTEGER NOT NULL,
        decision_id TEXT NOT NULL, state TEXT NOT NULL,
        seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE UNIQUE INDEX one_step_a_decision ON permits (decision_id)
        WHERE state = 'consumed'""",
    """CREATE TABLE windows (
        window_id TEXT PRIMARY KEY, cell_id TEXT NOT NULL, digest TEXT NOT NULL,
        content TEXT NOT NULL, facts TEXT NOT NULL, samples INTEGER NOT NULL,
        channels INTEGER NOT NULL, data BLOB NOT NULL, present BLOB NOT NULL,
        seq INTEGER NOT NULL) STRICT""",
    """CREATE TABLE requests (
        request_id TEXT PRIMARY KEY, cell_id TEXT NOT NULL, kind TEXT NOT NULL,
        decision_id TEXT NOT NULL, window_digest TEXT NOT NULL,
        outcome TEXT NOT NULL, seen_at TEXT, claimed_by TEXT NOT NULL,
        claim_epoch INTEGER NOT NULL, claimed_at TEXT, resolved_at TEXT,
        resolved_seq INTEGER, label TEXT NOT NULL, answered_by TEXT NOT NULL,
        seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE INDEX open_requests ON requests (seq) WHERE outcome = 'open'",
    "CREATE INDEX ended_requests ON requests (resolved_seq)",
    "CREATE INDEX requests_of_decision ON requests (decision_id)",
    "CREATE INDEX requests_of_evidence ON requests (cell_id, window_digest)",
)

_LEARNING: Final = (
    """CREATE TABLE examples (
        example_id TEXT PRIMARY KEY, family TEXT NOT NULL, window_id TEXT NOT NULL,
        retracted INTEGER NOT NULL, quarantine TEXT NOT NULL,
        seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE INDEX examples_of_family ON examples (family, seq)",
    """CREATE TABLE labels (
        family TEXT NOT NULL, name TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (family, name)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE models (
        digest TEXT PRIMARY KEY, family TEXT NOT NULL, version INTEGER NOT NULL,
        state TEXT NOT NULL, metrics TEXT NOT NULL, text TEXT NOT NULL, live_at TEXT,
        promoted_by TEXT NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX models_of_family ON models (family, version)",
    "CREATE UNIQUE INDEX one_live_model ON models (family) WHERE state = 'live'",
)

_CLIPS: Final = (
    """CREATE TABLE clips (
        clip_id TEXT PRIMARY KEY, cell_id TEXT NOT NULL, request_id TEXT NOT NULL,
        window_id TEXT NOT NULL, digest TEXT NOT NULL, bytes INTEGER NOT NULL,
        removed INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX one_clip_a_window ON clips (window_id) WHERE NOT removed",
    "CREATE INDEX clips_in_order ON clips (seq) WHERE NOT removed",
)

_UNCONFIRMED: Final = """CREATE TABLE unconfirmed (
    cell_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL) STRICT, WITHOUT ROWID"""

_GATES: Final = """CREATE TABLE gates (
    family TEXT PRIMARY KEY, certified_seq INTEGER, granted_seq INTEGER,
    closed_seq INTEGER, evidence_seq INTEGER NOT NULL, source TEXT NOT NULL,
    seq INTEGER NOT NULL) STRICT, WITHOUT ROWID"""

_GIVEN: Final = """CREATE TABLE given (
    request_id TEXT PRIMARY KEY, label TEXT NOT NULL, person TEXT NOT NULL,
    seq INTEGER NOT NULL) STRICT, WITHOUT ROWID"""

_PEOPLE: Final = (
    """CREATE TABLE people (
        person TEXT PRIMARY KEY, shown TEXT NOT NULL, team TEXT NOT NULL,
        role INTEGER NOT NULL, pin_digest TEXT NOT NULL, locked INTEGER NOT NULL,
        failures INTEGER NOT NULL, failed_at TEXT, added_at TEXT NOT NULL,
        seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    # The digest of a token that only its client has.
    """CREATE TABLE person_sessions (
        session TEXT PRIMARY KEY, person TEXT NOT NULL, device TEXT NOT NULL,
        token_digest TEXT NOT NULL UNIQUE, expires_at TEXT NOT NULL,
        ended TEXT NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE INDEX sessions_at_work ON person_sessions (person) WHERE ended = ''",
    # The highest role of those who hold a cell by name.
    """CREATE TABLE held_by (
        cell_id TEXT PRIMARY KEY, role INTEGER NOT NULL, person TEXT NOT NULL,
        seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
)

_TEACHING: Final = (
    """CREATE TABLE opinions (
        opinion_id TEXT PRIMARY KEY, family TEXT NOT NULL, window_id TEXT NOT NULL,
        person TEXT NOT NULL, label TEXT NOT NULL, example_id TEXT NOT NULL,
        taken_back INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE UNIQUE INDEX one_opinion_each ON opinions (window_id, person)
        WHERE NOT taken_back""",
    "CREATE INDEX opinions_by_example ON opinions (example_id)",
    """CREATE TABLE decided (
        family TEXT NOT NULL, window_digest TEXT NOT NULL, label TEXT NOT NULL,
        person TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (family, window_digest)) STRICT, WITHOUT ROWID""",
)

_HANDS: Final = (
    """CREATE TABLE arrivals (
        request_id TEXT PRIMARY KEY, arrived_at TEXT NOT NULL, person TEXT NOT NULL,
        seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE skips (
        request_id TEXT NOT NULL, person TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (request_id, person)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE first_opinions (
        request_id TEXT PRIMARY KEY, label TEXT NOT NULL, person TEXT NOT NULL,
        seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE unheard (
        request_id TEXT NOT NULL, person TEXT NOT NULL, kind TEXT NOT NULL,
        label TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (request_id, person, kind)) STRICT, WITHOUT ROWID""",
)

_KNOWN: Final = (
    """CREATE TABLE known_cases (
        window_id TEXT PRIMARY KEY, request_id TEXT NOT NULL UNIQUE,
        label TEXT NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
)

STEPS: Final = (
    step_1_first_tables,
    step_2_clips,
    step_3_unconfirmed_holds,
    step_4_gates,
    step_5_answers_that_wait,
    step_6_people,
    step_7_opinions,
    step_8_hands,
    step_9_known_cases,
)
VERSION: Final = len(STEPS)
"""The newest schema this andon knows; `user_version` in the file's header."""


def migrate(db: sqlite3.Connection, version: int = VERSION) -> None:
    """Bring a store to a schema, the newest; each step is one transaction."""
    if db.execute("PRAGMA user_version").fetchone() == (version,):
        return
    beyond = [step.__name__ for step in STEPS[version:]]
    MIGRATIONS.apply(sqlite_utils.Database(db), stop_before=beyond)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {version}")


def check_version(db: sqlite3.Connection) -> int:
    """Return the schema version of a store that this andon may open.

    Raises:
        SchemaVersionError: it is newer than this andon.
        StoreIntegrityError: it is an SQLite file of something else.
    """
    (owner,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if owner != APPLICATION_ID or version < 1:
        raise StoreIntegrityError("the store's file is not one that andon wrote.")
    if version > VERSION:
        raise SchemaVersionError(
            f"schema {version} is newer than this andon (newest {VERSION})."
        )
    return int(version)
