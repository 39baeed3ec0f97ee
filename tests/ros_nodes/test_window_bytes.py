"""A window as bytes: digests that both sides know."""

import hashlib

import numpy as np

from coordinator.terms import channels, window
from coordinator.terms.ids import Digest
from ros_nodes.window_bytes import (
    presence_bytes,
    sample_bytes,
    schema_digest,
    window_digest,
)


def test_both_programs_compute_the_same_schema_digest() -> None:
    names = [("elbow_pos", "rad"), ("force_z", "N")]

    assert schema_digest(names) == channels.schema_digest(names)


def test_both_programs_compute_the_same_window_digest() -> None:
    schema = hashlib.sha256(b"schema").hexdigest()
    samples = np.arange(6, dtype=np.float32).reshape(3, 2)
    present = np.array([True, False])

    told = window_digest(schema, samples, present)

    assert told == window.window_digest(Digest(schema), samples, present)


def test_what_goes_to_the_wire_is_what_the_digest_is_of() -> None:
    schema = hashlib.sha256(b"schema").digest()
    samples = np.arange(6, dtype=np.float32).reshape(2, 3).T  # not row-major
    present = np.array([True, False])

    sent = sample_bytes(samples) + presence_bytes(present)

    assert hashlib.sha256(schema + sent).hexdigest() == window_digest(
        schema.hex(), samples, present
    )
