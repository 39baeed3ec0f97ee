"""An answer that nobody takes is tried ever more rarely, and at once when it may help.

The outbox alone, in node, with a clock that stands until it is moved.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.house.sources import ROOT

NODE = shutil.which("node")
OUTBOX = ROOT / "tablet/src/outbox.js"
TRY = """
const { Outbox } = await import(process.argv[1]);
let now = 0;
Date.now = () => now;
const kept = new Map();
const storage = {
  getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text),
};
const outbox = new Outbox(storage);
const tries = [];
let error = { silent: true };
const send = async ({ key }) => {
  tries.push([key, now]);
  if (error) throw error;
  return {};
};
const flush = () => outbox.flush("ana", send, () => "why", () => {});
const pass = async (seconds) => {
  for (const end = now + seconds * 1000; now < end; now += 500) await flush();
};
outbox.add({ key: "one", person: "ana" });
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not there")


def run(story: str) -> Any:
    """Run a story about an outbox; what it says at its end."""
    said = subprocess.run(
        [str(NODE), "--input-type=module", "-e", TRY + story, OUTBOX.as_uri()],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(said.stdout)


def test_an_answer_that_nobody_takes_waits_twice_as_long_each_time() -> None:
    tries = run("await pass(70); console.log(JSON.stringify(tries));")

    assert [at / 1000 for _, at in tries] == [0, 1, 3, 7, 15, 30, 45, 60]


def test_when_somebody_may_listen_again_it_is_tried_at_once() -> None:
    tries, left = run(
        """
        await pass(20);
        error = null;
        outbox.hurry();
        await flush();
        console.log(JSON.stringify([tries, outbox.items.length]));
        """
    )

    assert tries[-1] == ["one", 20_000]
    assert left == 0


def test_a_new_answer_does_not_wait_for_an_old_one() -> None:
    tries = run(
        """
        await pass(20);
        outbox.add({ key: "two", person: "ana" });
        await flush();
        console.log(JSON.stringify(tries));
        """
    )

    assert tries[-1] == ["two", 20_000]


def test_an_answer_that_is_refused_is_not_tried_again() -> None:
    tries, refused = run(
        """
        error = { silent: false };
        await pass(5);
        console.log(JSON.stringify([tries, outbox.refused.length]));
        """
    )

    assert (tries, refused) == ([["one", 0]], 1)
