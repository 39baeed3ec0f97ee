"""What the data path keeps and costs at the rates of real robots.

    python benchmarks/ros_rate.py [--cobots 1 4 10] [--seconds 6] [--json FILE]

For each number of cobots one process publishes 2 x 500 Hz a cobot, serialised and
paced, over the loopback profile. Receivers take it in turn: andon's data path, and
typed callbacks in a SingleThreadedExecutor, each

    apart      one process a cell: as andon is deployed
    together   all cells in one process

Published is what the publisher counted. Lost is what gaps in the publisher's numbers
say; received + lost = published means that nothing vanished uncounted. CPU is that of
the receiving processes with all threads of DDS, as a share of one core. "window" is the
time from the stamp of a step's last sample until the window is cut; "ring" from a
sample's stamp until it is in the ring.

Where typed callbacks need more than the machine has they lose messages, or find several
at once and get cheaper by that; so what counts is CPU a message received.

Exits with 1 if a bar is missed at the greatest number of cobots.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ros_nodes.loopback import loopback_environment

ROOT = Path(__file__).resolve().parents[1]
ROLES = Path(__file__).with_name("rate") / "roles.py"
DOMAIN = 97
MOST_LOST = 0.001
CPU_RATIO = 0.25

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One receiver at one number of cobots; times in ms, CPU in cores."""

    cobots: int
    receiver: str
    layout: str
    published: int
    received: int
    lost: int
    cpu: float
    cpu_us: float
    window_p50: float | None
    window_p99: float | None
    ring_p50: float
    ring_p99: float
    publisher_cpu: float
    publisher_lag_p99: float

    @property
    def uncounted(self) -> int:
        """Messages that are neither received nor counted as lost."""
        return self.published - self.received - self.lost


class Role:
    """A process of rate/roles.py."""

    def __init__(self, role: str, **wish: Any) -> None:
        env = dict(os.environ)
        # The ROS wheels start every interpreter anew with these.
        for name in ("LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE"):
            env.pop(name, None)
        env |= loopback_environment()
        env |= {
            "ROS_DOMAIN_ID": str(DOMAIN),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "proto")]),
        }
        self._process = subprocess.Popen(  # noqa: S603 - this program's other half
            [sys.executable, str(ROLES), role, json.dumps(wish)],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, word: str) -> None:
        """Tell it to go on."""
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def answer(self) -> Facts:
        """Wait for what it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a process ended with {self._process.wait()}")
        return dict(json.loads(line))

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def measure(
    cobots: int, receiver: str, layout: str, seconds: float, profile: str = ""
) -> Row:
    """Let one kind of receiver take what so many cobots publish."""
    numbers = list(range(cobots))
    shares = [numbers] if layout == "together" else [[number] for number in numbers]
    wish = {"profile": profile} if profile else {}
    receivers = [Role(receiver, cells=share, **wish) for share in shares]
    publisher = Role("publish", cells=numbers, seconds=seconds)
    everybody = [*receivers, publisher]
    try:
        for process in everybody:
            process.answer()
        for process in everybody:
            process.say("go")
        sent = publisher.answer()
        for process in receivers:
            process.say("end")
        taken = [process.answer() for process in receivers]
    finally:
        for process in everybody:
            process.close()
    return _row((cobots, receiver, layout), sent, taken)


def _row(what: tuple[int, str, str], sent: Facts, taken: list[Facts]) -> Row:
    cobots, receiver, layout = what
    received = sum(facts["received"] for facts in taken)
    cpu_s = sum(facts["cpu_s"] for facts in taken)
    window = _ms([age for facts in taken for age in facts.get("cut_ns", ())])
    ring = _ms([age for facts in taken for age in facts["in_ring_ns"]])
    for facts in taken:
        if facts.get("dropped"):
            print(f"  {receiver}, {layout}: counted {facts['dropped']}")
    if receiver == "typed":  # it counts nothing: whatever is missing is lost
        lost = sent["published"] - received
    else:
        lost = sum(facts["lost"] for facts in taken)
    return Row(
        cobots=cobots,
        receiver=receiver,
        layout=layout,
        published=sent["published"],
        received=received,
        lost=lost,
        cpu=cpu_s / sent["wall_s"],
        cpu_us=1e6 * cpu_s / max(1, received),
        window_p50=window[0],
        window_p99=window[1],
        ring_p50=ring[0] or 0.0,
        ring_p99=ring[1] or 0.0,
        publisher_cpu=sent["cpu_s"] / sent["wall_s"],
        publisher_lag_p99=1e3 * sent["lag_p99_s"],
    )


def _ms(ages_ns: list[int]) -> tuple[float | None, float | None]:
    if not ages_ns:
        return None, None
    p50, p99 = np.percentile(np.array(ages_ns, dtype=np.float64), [50, 99]) / 1e6
    return float(p50), float(p99)


def bars(rows: list[Row], most: int) -> list[tuple[str, bool]]:
    """What was promised at the greatest number of cobots."""
    at = {(r.receiver, r.layout): r for r in rows if r.cobots == most}
    said = []
    for (receiver, layout), row in at.items():
        if receiver != "andon":
            continue
        lost, counted = row.lost / row.published, row.received + row.lost
        said += [
            (
                f"{layout}: received + lost = published: {row.received} + {row.lost} "
                f"= {counted} of {row.published}",
                row.uncounted == 0,
            ),
            (f"{layout}: lost {lost:.3%}, below 0.1 %", lost < MOST_LOST),
        ]
        if typed := at.get(("typed", layout)):
            ratio = row.cpu_us / typed.cpu_us
            said.append(
                (
                    f"{layout}: CPU a message {ratio:.2f} of the typed callback's, "
                    "at most 0.25",
                    ratio <= CPU_RATIO,
                )
            )
    return said


def table(rows: list[Row]) -> str:
    """The rows in markdown."""
    lines = [
        "| cobots | receiver | published | received | lost | CPU, cores "
        "| CPU a message, us | window p50 / p99, ms | ring p50 / p99, ms "
        "| publisher: CPU, lag p99 ms |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        window = (
            "-" if r.window_p50 is None else f"{r.window_p50:.1f} / {r.window_p99:.1f}"
        )
        lines.append(
            f"| {r.cobots} | {r.receiver}, {r.layout} | {r.published} "
            f"| {r.received} ({r.received / r.published:.2%}) | {r.lost} | {r.cpu:.3f} "
            f"| {r.cpu_us:.1f} | {window} | {r.ring_p50:.1f} / {r.ring_p99:.1f} "
            f"| {r.publisher_cpu:.2f}, {r.publisher_lag_p99:.1f} |"
        )
    return "\n".join(lines)


def machine() -> str:
    """Where and of what this was measured."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, commit {commit or 'unknown'}"
    )


def main() -> int:
    """Measure, print, and say whether the bars hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cobots", type=int, nargs="+", default=[1, 4, 10])
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--receivers", nargs="+", default=["andon", "typed"])
    parser.add_argument("--layouts", nargs="+", default=["apart", "together"])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--profile", default="", help="file for cProfile of one node")
    options = parser.parse_args()
    rows = [
        measure(cobots, receiver, layout, options.seconds, options.profile)
        for cobots in options.cobots
        for layout in options.layouts
        if cobots > 1 or layout == options.layouts[0]  # alone is alone
        for receiver in options.receivers
    ]
    print(f"\n{machine()}; {options.seconds:g} s each\n\n{table(rows)}\n")
    checked = bars(rows, max(options.cobots))
    for text, holds in checked:
        print(f"{'held  ' if holds else 'MISSED'} {text}")
    if options.json:
        result = {"machine": machine(), "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return int(not all(holds for _, holds in checked))


if __name__ == "__main__":
    raise SystemExit(main())
