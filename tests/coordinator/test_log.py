"""The log: one JSON line an event, and no secrets in it."""

import json

from coordinator import log


def fail(pin: str) -> None:
    raise ValueError(f"{len(pin)} digits")


def test_a_log_that_cannot_be_written_costs_a_line_and_nothing_else(tmp_path):
    stream = (tmp_path / "log").open("w")
    writer = log.BestEffort(stream)
    stream.close()

    writer.msg("verdict")

    assert writer.lost == 1


def test_a_traceback_in_the_log_names_no_local_variables(capsys):
    log.configure()
    try:
        fail("4711")
    except ValueError:
        log.get("tests").exception("failed")
    written = capsys.readouterr().err
    line = json.loads(written)

    assert line["event"] == "failed"
    assert line["exception"][0]["exc_value"] == "4 digits"
    assert "4711" not in written
