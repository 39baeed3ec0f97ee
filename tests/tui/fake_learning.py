"""The learning side of the fake coordinator: models to promote and to roll back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc

from andon.v1 import learning_pb2, learning_pb2_grpc, operator_pb2
from tests.tui.fake_insight import make_report

Context = grpc.aio.ServicerContext[Any, Any]


class FakeLearning(learning_pb2_grpc.LearningServiceServicer):
    """One family, peg; what stands is what the test puts there."""

    def __init__(self, tell: Callable[[operator_pb2.WatchResponse], None]) -> None:
        self._tell = tell
        self.stands: dict[str, operator_pb2.LearningStatus] = {}
        self.models: list[learning_pb2.Model] = []
        self.calls: list[str] = []
        self.refuses = ""
        self.put(phase="collecting", gate="ASK_ALL", until_training=40)

    def put(self, **facts: Any) -> None:
        """Let the learning of the family move on."""
        stands = self.stands.setdefault(
            "peg", operator_pb2.LearningStatus(family="peg")
        )
        left_s = facts.pop("time_left_s", None)
        for name, fact in facts.items():
            setattr(stands, name, fact)
        stands.ClearField("time_left")
        if left_s is not None:
            stands.time_left.FromNanoseconds(round(left_s * 1e9))
        self._tell(operator_pb2.WatchResponse(learning=stands))

    def learn_one(self) -> None:
        """One more example."""
        stands = self.stands["peg"]
        self.put(
            examples=stands.examples + 1,
            until_training=max(0, stands.until_training - 1),
        )

    def add_model(self, state: str, **metrics: float) -> learning_pb2.Model:
        """One more model, newest first."""
        version = len(self.models) + 1
        model = learning_pb2.Model(
            model_digest=f"{version:02x}" * 32,
            family="peg",
            version=version,
            state=learning_pb2.ModelState.Value(f"MODEL_STATE_{state}"),
            examples=40 * version,
            network="timeconv",
            metrics=metrics,
            text=f"model {version} is {state.lower()}",
        )
        model.trained_at.FromSeconds(int(time.time()) - 600 * (4 - version))
        model.training_time.FromSeconds(7)
        self.models.insert(0, model)
        return model

    async def ListModels(
        self, request: learning_pb2.ListModelsRequest, context: Context
    ) -> learning_pb2.ListModelsResponse:
        return learning_pb2.ListModelsResponse(models=self.models)

    async def GetModel(
        self, request: learning_pb2.GetModelRequest, context: Context
    ) -> learning_pb2.GetModelResponse:
        model = next(m for m in self.models if m.model_digest == request.model_digest)
        return learning_pb2.GetModelResponse(model=model, held_out=make_report())

    async def GetGate(
        self, request: learning_pb2.GetGateRequest, context: Context
    ) -> learning_pb2.GetGateResponse:
        gate = learning_pb2.GateStatus(
            family=request.family,
            state=self.stands["peg"].gate,
            text="it asks until a risk is certified.",
            alpha=0.05,
            delta=0.05,
            wrong=0.011,
            wrong_low=0.002,
            wrong_high=0.034,
            wrong_audited=91,
            wrong_decided=812,
        )
        return learning_pb2.GetGateResponse(gate=gate)

    async def StartTraining(
        self, request: learning_pb2.StartTrainingRequest, context: Context
    ) -> learning_pb2.StartTrainingResponse:
        self.calls.append(f"train {request.family}")
        self.put(phase="training", progress=0.0, time_left_s=8.0)
        return learning_pb2.StartTrainingResponse(run_id="run-1")

    async def Promote(
        self, request: learning_pb2.PromoteRequest, context: Context
    ) -> learning_pb2.PromoteResponse:
        self.calls.append(f"promote {request.model_digest[:4]}")
        if self.refuses:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, self.refuses)
        model = next(m for m in self.models if m.model_digest == request.model_digest)
        for other in self.models:
            if other.state == learning_pb2.MODEL_STATE_LIVE:
                other.state = learning_pb2.MODEL_STATE_RETIRED
        model.state = learning_pb2.MODEL_STATE_LIVE
        model.promoted_by = request.actor.person
        self.put(model_version=model.version, model_digest=model.model_digest)
        return learning_pb2.PromoteResponse(model=model)

    async def Rollback(
        self, request: learning_pb2.RollbackRequest, context: Context
    ) -> learning_pb2.RollbackResponse:
        self.calls.append(f"roll back {request.family}")
        live = learning_pb2.MODEL_STATE_LIVE
        for model in self.models:
            if model.state == live:
                model.state = learning_pb2.MODEL_STATE_ROLLED_BACK
        for model in self.models:
            if model.state == learning_pb2.MODEL_STATE_RETIRED:
                model.state = live
                self.put(model_version=model.version)
                return learning_pb2.RollbackResponse(model=model)
        return learning_pb2.RollbackResponse()
