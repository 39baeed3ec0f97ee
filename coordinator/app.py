"""Builds every object of the coordinator and owns every task."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial

from coordinator import log, software
from coordinator.clock import SECOND_NS, Clock, JumpWatch, SystemClock, seconds_to_ns
from coordinator.config import Settings
from coordinator.errors import AndonError
from coordinator.feed import Feed, PresenceChanged
from coordinator.insight.why import Explainer
from coordinator.learning.path import LearningPath
from coordinator.learning.training.process import ChildProcessTrainer
from coordinator.live.cell.permit import PermitMaker
from coordinator.live.cell.record import CellRecord
from coordinator.live.clips import ClipShelf, limits
from coordinator.live.gate.keeper import GateKeeper
from coordinator.live.gate.plan import plan_of
from coordinator.live.inference.device import choose
from coordinator.live.inference.worker import InferenceWorker
from coordinator.live.linked import unrecorded
from coordinator.live.path import LivePath, PathSettings
from coordinator.live.request.queue import RequestQueue
from coordinator.model.slot import ModelSlot
from coordinator.people.machine import remove_key
from coordinator.seams import CellRow
from coordinator.service import asking
from coordinator.service.drop_folder import drop_folder
from coordinator.service.last_time import was_unclean
from coordinator.service.plant import Plant
from coordinator.service.presence import Presence
from coordinator.service.reception import open_people
from coordinator.service.server import Server
from coordinator.service.usual import picture
from coordinator.store import Store
from coordinator.store.clip_files import ClipFolder
from coordinator.terms import (
    NO_DIGEST,
    CellId,
    FamilyId,
    HoldReason,
    OperatorRequest,
    Prediction,
    SensorWindow,
    events,
)
from coordinator.vocabulary import Vocabulary

_log = log.get("app")
Loop = tuple[str, Coroutine[None, None, None]]
"""A task by its name."""
TICK_S = 0.25
"""Time between two looks at deadlines, leases and waiting records, s."""
STALL_NS = 2 * SECOND_NS
"""A loop that stood still for so long says so; the nodes have held by then."""
WRITE_DOWN_S = 3.0
"""A stop waits no longer for what is not on record yet."""
HUNG_S = 5.0
"""A model that has not answered for so long never will: hold all and exit, s."""
FAULT_PAUSE_S = 10.0
"""Time until what cells can do without begins anew after a fault, s."""
SWITCH_INTERVAL_S = 500e-6
"""Lets the event loop interleave with the inference thread sooner, s."""


class Coordinator:
    """One coordinator: built by open(), run by run(), closed by close()."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._feed = Feed()
        self._vocabulary = Vocabulary(settings.family_terms(), settings.words)
        self._slots = {family: ModelSlot() for family in settings.family_terms()}
        self._device = choose(settings.coordinator.device)
        self._worker = InferenceWorker(
            self._slots,
            clock=clock,
            device=self._device,
            deadline_s=settings.coordinator.model_deadline_s,
        )
        self._stop = asyncio.Event()
        self._exit_code = 0
        self.plant: Plant
        self.server: Server
        self._store: Store
        self._clip_files: ClipFolder

    async def open(self) -> None:
        """Open the store and build the paths; nothing is served yet."""
        data_dir = self._settings.coordinator.data_dir
        self._store = await Store.open(
            data_dir,
            clock=self._clock,
            claim_s=self._settings.requests.claim_lease_s,
        )
        await self._store.commit(
            events.CoordinatorStarted(
                version=software.describe(),
                commit=software.commit(),
                config_digest=self._settings.digest,
                device=self._worker.describe(),
                unclean=await was_unclean(self._store),
            )
        )
        for family in self._vocabulary.all():
            added = await self._store.labels(family.family_id)
            self._vocabulary.extend(family.family_id, added)
        requests = asking.build(
            self._settings,
            store=self._store,
            clock=self._clock,
            vocabulary=self._vocabulary,
            publish=self._heard,
            plant=lambda: self.plant,
        )
        await asking.load(requests, self._store, self._store)
        self._clip_files = ClipFolder(data_dir)
        clips = ClipShelf(
            self._store,
            self._clip_files,
            self._clock,
            limits=limits(self._settings),
            told=requests.has_clip,
        )
        await clips.open()
        gates = {family: self._gate(family) for family in self._slots}
        remembered = await self._store.cells()
        seed = (await self._store.head()).store_id
        self.plant = Plant(
            cells={
                cell_id: self._path(
                    cell_id, gates[family], requests, remembered.get(cell_id), seed
                )
                for cell_id, family in self._settings.family_of().items()
            },
            learning={family: self._teacher(gates[family]) for family in self._slots},
            gates=gates,
            vocabulary=self._vocabulary,
            requests=requests,
            clips=clips,
            store=self._store,
            feed=self._feed,
            clock=self._clock,
            presence=Presence(lambda: self._feed.publish(PresenceChanged())),
            people=await open_people(
                self._settings, self._store, requests, self._clock
            ),
            explainer=Explainer(self._store, data_dir / "models"),
            claim_lease_ns=seconds_to_ns(self._settings.requests.claim_lease_s),
            software=software.describe(),
        )
        self.server = Server(self.plant, self._settings.service)

    async def run(self, ready: Callable[[str], None] | None = None) -> int:
        """Serve until stop(); return the exit code."""
        self._worker.start()
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(loop, name=name)
                for name, loop in (*self._live(), *self._beside())
            ]
            address = await self.server.start(self._settings.coordinator.listen)
            _log.info("serving", address=address, device=self._worker.describe())
            if ready is not None:
                ready(address)
            await self._stop.wait()
            await self.server.stop()
            await self.plant.clips.close()
            await self._write_down()
            for task in running:
                task.cancel()
        return self._exit_code

    async def close(self) -> None:
        """Write down how this ended."""
        await self._worker.stop()
        await self.plant.explainer.close()
        await self._clip_files.close()
        remove_key(self._settings.coordinator.data_dir)
        why = "a fault; see the log" if self._exit_code else "asked to stop"
        await self._store.commit(events.CoordinatorStopped(why))
        await self._store.close()

    def stop(self, exit_code: int = 0) -> None:
        """End run()."""
        self._exit_code = exit_code
        self._stop.set()

    # -- building --------------------------------------------------------------------

    def _path(
        self,
        cell_id: CellId,
        gate: GateKeeper,
        requests: RequestQueue,
        remembered: CellRow | None,
        seed: str,
    ) -> LivePath:
        settings, family = self._settings, gate.family_id

        async def predict(window: SensorWindow) -> Prediction | None:
            return await self._worker.predict(window, family)

        return LivePath(
            cell=CellRecord(
                cell_id,
                family,
                clock=self._clock,
                remembered=remembered or CellRow(),
                publish=self._feed.publish,
                monitor_only=settings.cells[cell_id].ros.robot.adapter == "none",
            ),
            family_now=lambda: self._vocabulary.family(family),
            predict=predict,
            gate=gate,
            requests=requests,
            permits=PermitMaker(
                cell_id,
                maximum_step_ns=seconds_to_ns(settings.cells[cell_id].maximum_step_s),
            ),
            store=self._store,
            clock=self._clock,
            settings=PathSettings.of(settings, seed),
        )

    def _gate(self, family: FamilyId) -> GateKeeper:
        slot = self._slots[family]
        return GateKeeper(
            family_now=lambda: self._vocabulary.family(family),
            plan=plan_of(self._settings, family),
            store=self._store,
            clock=self._clock,
            serving=lambda: NO_DIGEST if slot.model is None else slot.model.digest,
            changed=lambda: self.plant.learning[family].gate_changed(),
        )

    def _heard(self, request: OperatorRequest) -> None:
        """Tell the gate and every watcher how a question stands."""
        gate = self.plant.gates.get(request.family)
        if gate is not None:
            gate.heard(request)
        self._feed.publish(request)

    def _teacher(self, gate: GateKeeper) -> LearningPath:
        settings, family = self._settings, gate.family_id
        models_dir = settings.coordinator.data_dir / "models"
        return LearningPath(
            family_now=lambda: self._vocabulary.family(family),
            store=self._store,
            trainer=ChildProcessTrainer(
                models_dir,
                network=settings.learning.network,
                threads=settings.learning.threads,
                threshold=settings.gate.threshold,
            ),
            slot=self._slots[family],
            device=self._device,
            clock=self._clock,
            settings=settings.learning,
            auto_promote=settings.policies.auto_promote,
            models_dir=models_dir,
            publish=self._feed.publish,
            gate=gate,
        )

    # -- tasks -----------------------------------------------------------------------

    def _live(self) -> Iterator[Loop]:
        """What cells live by; without the last two nobody may rely on andon."""
        for cell_id, path in self.plant.cells.items():
            said = HoldReason.MODEL_FAULT, "andon failed here; see its log."
            yield f"live:{cell_id}", supervise(path.run, partial(path.hold, *said))
        pulse = partial(self._every_tick, self.server.cells.sessions.look)
        for name, timer in (("tick", self._tick), ("pulse", pulse)):
            yield name, supervise(timer, self._give_up, pause_s=FAULT_PAUSE_S)

    def _beside(self) -> Iterator[Loop]:
        """What cells can do without: a fault there is told, and ends nothing else."""
        beside = partial(supervise, pause_s=FAULT_PAUSE_S)
        for family, teacher in self.plant.learning.items():
            yield f"learning:{family}", beside(teacher.run, teacher.fail)
        for family, keeper in self.plant.gates.items():
            yield f"gate:{family}", beside(keeper.run, keeper.fail)
            ticks = partial(self._every_tick, keeper.tick)
            yield f"gate ticks:{family}", beside(ticks, keeper.fail)
        yield "usual", beside(partial(picture, self.plant), self.plant.usual.clear)
        if folder := drop_folder(self.plant, self._settings):
            yield "folder", beside(folder.run, folder.fail)

    async def _every_tick(self, look: Callable[[], object]) -> None:
        """Look at something now and then, for ever, and wait for nothing else."""
        while True:
            await self._clock.sleep(TICK_S)
            look()

    async def _tick(self) -> None:
        """Look at deadlines, leases, claims and the inference thread, for ever."""
        expected_ns, nobody = self._clock.monotonic_ns(), False
        wall = JumpWatch(self._clock)
        while True:
            await self._clock.sleep(TICK_S)
            now_ns = self._clock.monotonic_ns()
            late_ns = now_ns - expected_ns
            if late_ns > STALL_NS:
                _log.error("stall_detected", seconds=round(late_ns / 1e9, 2))
                self.plant.requests.postpone(late_ns)
            await asking.look_after(self.plant, self._settings)
            expected_ns = now_ns + seconds_to_ns(TICK_S)
            if jumped_s := wall.jumped_s():
                _log.warning("clock_jump", seconds=round(jumped_s, 1))
            nobody = self._say_when_nobody(nobody)
            for path in self.plant.cells.values():
                path.tick()
            if self._worker.hung_s > HUNG_S:
                _log.error("inference_hung", seconds=round(self._worker.hung_s, 1))
                self._give_up("the model does not answer; andon starts again.")

    def _say_when_nobody(self, before: bool) -> bool:  # noqa: FBT001 - said before
        """Tell watchers when questions begin, or cease, to go unheard."""
        nobody = self.plant.attendance().nobody
        if nobody is not before:
            _log.warning("nobody_answers" if nobody else "somebody_answers")
            self._feed.publish(PresenceChanged())
        return nobody

    async def _write_down(self) -> None:
        """Record what the cells have not recorded yet, if the store still can."""
        cells = self.plant.cells.values()
        for cell_id in await unrecorded(cells, WRITE_DOWN_S):
            _log.error("not_recorded", cell=cell_id)

    def _give_up(self, text: str = "andon failed; it starts again.") -> None:
        """Hold every cell at once, and end: what all of them live by is gone."""
        for path in self.plant.cells.values():
            path.hold(HoldReason.MODEL_FAULT, text)
        self.stop(exit_code=9)


async def supervise(
    run: Callable[[], Awaitable[None]],
    failed: Callable[[], None],
    *,
    pause_s: float = 0.0,
) -> None:
    """Keep one loop alive; a fault in it is told, and the others go on.

    Args:
        run: The loop; begun anew after a fault.
        failed: Makes safe what the loop was for: holds a cell, shuts a gate.
        pause_s: Time until it begins anew, s.
    """
    while True:
        try:
            await run()
        except (Exception, asyncio.CancelledError) as fault:
            task = asyncio.current_task()
            if isinstance(fault, asyncio.CancelledError) and task and task.cancelling():
                raise  # meant for the loop; another came out of what it awaited
            _log.exception("task_died", task=task.get_name() if task else "")
            failed()
        await asyncio.sleep(pause_s)


async def serve(
    settings: Settings,
    *,
    ready: Callable[[str], None] | None = None,
    clock: Clock | None = None,
) -> int:
    """Run a coordinator until SIGTERM or SIGINT; return the exit code.

    Raises:
        StoreError: the store is locked, does not verify, or is newer than this andon.
        InsecureBindError: the address would need TLS.
        UnavailableError: the port is taken.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    coordinator = Coordinator(settings, clock or SystemClock())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, coordinator.stop)
    await coordinator.open()
    try:
        return await coordinator.run(ready)
    except* AndonError as group:
        raise group.exceptions[0] from group
    finally:
        await coordinator.close()
