"""Trains in a child process: it cannot starve the live loop, and may die alone.

The child is its own process group, is nice to everybody, and dies with this process.
Its model is verified here before it is moved to where models live; until then nothing
of it is visible.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from coordinator import log
from coordinator.errors import ArtifactError, TrainingError
from coordinator.learning.training.handover import (
    LINE_LIMIT,
    MODELS,
    Orders,
    read_line,
    write_orders,
)
from coordinator.model.artifact import adopt_artifact
from coordinator.seams import Candidate, Progress
from coordinator.terms import Snapshot

PROGRAM: Final = "coordinator.learning.child"
LIMIT_S: Final = 1_800.0
"""A training that takes longer has gone wrong, s."""
RUN_PREFIX: Final = ".run-"
_THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")

_log = log.get("training")


class ChildProcessTrainer:
    """Starts one child a training. Implements seams.Trainer.

    Args:
        models_dir: Where models live; made if it is not there.
        network: Name of a network, or "auto".
        threads: CPU threads of the child.
        threshold: The gate's, for the report.
        commit: Code that trains, for the manifest.
        limit_s: Longest training.
    """

    def __init__(
        self,
        models_dir: Path,
        *,
        network: str = "auto",
        threads: int = 1,
        threshold: float = 0.9,
        commit: str = "",
        limit_s: float = LIMIT_S,
    ) -> None:
        self._models_dir = models_dir
        self._network = network
        self._threads = threads
        self._threshold = threshold
        self._commit = commit
        self._limit_s = limit_s

    async def train(
        self,
        snapshot: Snapshot,
        *,
        serving: Path | None,
        seed: int,
        progress: Progress,
    ) -> Candidate:
        """See seams.Trainer. Cancelling it kills the child."""
        orders = Orders(
            parent_pid=os.getpid(),
            network=self._network,
            threads=self._threads,
            threshold=self._threshold,
            seed=seed,
            commit=self._commit,
            serving=serving,
        )
        try:
            with _run_folder(self._models_dir) as folder:
                write_orders(folder, snapshot, orders)
                async with asyncio.timeout(self._limit_s):
                    candidate = await self._run(folder, progress)
                return self._adopt(candidate)
        except TimeoutError as error:
            raise TrainingError(
                f"the training took longer than {self._limit_s:g} s and was ended."
            ) from error
        except OSError as error:
            reason = error.strerror or "unknown"
            raise TrainingError(f"the training could not be run: {reason}.") from error

    async def _run(self, folder: Path, progress: Progress) -> Candidate:
        """Start the child, listen to it, and leave none of it behind."""
        environment = dict(os.environ)
        environment |= dict.fromkeys(_THREAD_VARIABLES, str(self._threads))
        with (folder / "stderr.txt").open("wb") as complaints:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                PROGRAM,
                str(folder),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=complaints,
                env=environment,
                start_new_session=True,
                limit=LINE_LIMIT,
            )
        try:
            candidate = await _listen(child, folder / MODELS, progress)
            code = await child.wait()
        finally:
            await _end(child)
        if candidate is None or code != 0:
            _log.error(
                "training_child_failed", exit_code=code, stderr=_last_words(folder)
            )
            raise TrainingError(f"the training ended without a model (exit {code}).")
        return candidate

    def _adopt(self, candidate: Candidate) -> Candidate:
        """Verify the child's model and move it to where models live."""
        try:
            home = adopt_artifact(candidate.path, candidate.digest, self._models_dir)
        except ArtifactError as error:
            raise TrainingError(
                f"the trained model is refused: {error.text}"
            ) from error
        return Candidate(
            digest=candidate.digest,
            path=home,
            report=candidate.report,
            training_s=candidate.training_s,
            network=candidate.network,
        )


async def _listen(
    child: asyncio.subprocess.Process, models: Path, progress: Progress
) -> Candidate | None:
    if child.stdout is None:  # it is a pipe, as asked for above
        return None
    candidate: Candidate | None = None
    while True:
        try:
            line = await child.stdout.readline()
        except ValueError as error:  # longer than the limit
            raise TrainingError("the training said too much at once.") from error
        if not line:
            return candidate
        said = read_line(line, models)
        if isinstance(said, Candidate):
            candidate = said
        else:
            progress(said.phase, said.share, said.left_s, said.text)


async def _end(child: asyncio.subprocess.Process) -> None:
    """Kill the child's whole group, however far it got, and collect it."""
    # The group outlives its leader only if a grandchild does; both must go.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.wait()


@contextlib.contextmanager
def _run_folder(models_dir: Path) -> Iterator[Path]:
    models_dir.mkdir(parents=True, exist_ok=True)
    prefix = f"{RUN_PREFIX}{os.getpid()}-"
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=models_dir))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(models_dir: Path) -> int:
    """Remove what a killed coordinator left of its trainings; return how many.

    The store's lock says that no other coordinator is alive; a training of this one,
    for another family, may be.
    """
    mine = f"{RUN_PREFIX}{os.getpid()}-"
    left = [p for p in models_dir.glob(f"{RUN_PREFIX}*") if not p.name.startswith(mine)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def _last_words(folder: Path) -> str:
    try:
        lines = (folder / "stderr.txt").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return lines[-1][:200] if lines else ""
