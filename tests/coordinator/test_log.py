"""The log: one JSON line an event, and no secrets in it."""

import json

import structlog

from coordinator import log


def fail(pin: str) -> None:
    raise ValueError(f"{len(pin)} digits")


def test_a_traceback_in_the_log_names_no_local_variables(capsys):
    before = structlog.get_config()
    try:
        log.configure()
        try:
            fail("4711")
        except ValueError:
            log.get("tests").exception("failed")
    finally:
        structlog.configure(**before)
    written = capsys.readouterr().err
    line = json.loads(written)

    assert line["event"] == "failed"
    assert line["exception"][0]["exc_value"] == "4 digits"
    assert "4711" not in written
