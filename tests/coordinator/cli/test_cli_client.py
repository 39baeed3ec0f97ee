"""What a coordinator refuses comes out as the error that it raised."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from andon.v1 import learning_pb2, learning_pb2_grpc, operator_pb2, terms_pb2
from coordinator import errors
from coordinator.__main__ import main
from coordinator.cli import client, training

DIGEST = "ab" * 32


@contextmanager
def server_with(
    add: Callable[[grpc.Server], None],
) -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


class FakeLearning(learning_pb2_grpc.LearningServiceServicer):
    """Knows one model, and refuses what it is told to refuse."""

    def __init__(self, refusal: tuple[int, str, str] | None = None) -> None:
        self.refusal = refusal
        self.promoted: list[learning_pb2.PromoteRequest] = []
        self.labels: list[learning_pb2.AddLabelRequest] = []
        self.can_train = True
        self.trained = False
        self.silent = False
        self.started = threading.Event()

    def model(self) -> learning_pb2.Model:
        return learning_pb2.Model(
            model_digest=DIGEST,
            family="peg",
            version=3,
            state=learning_pb2.MODEL_STATE_LIVE,
            examples=80,
            metrics={"accuracy": 0.97},
            text="better at equal coverage",
        )

    def refuse(self, context: grpc.ServicerContext) -> None:
        if self.refusal is None:
            return
        code, token, text = self.refusal
        detail = Any()
        detail.Pack(error_details_pb2.ErrorInfo(reason=token, domain="andon"))
        status = status_pb2.Status(code=code, message=text, details=[detail])
        context.abort_with_status(rpc_status.to_status(status))

    def ListExamples(self, request, context):
        raise NotImplementedError

    def RetractExample(self, request, context):
        raise NotImplementedError

    def ListModels(self, request, context):
        self.refuse(context)
        models = [self.model()]
        if self.trained:
            models.append(learning_pb2.Model(version=4))
        return learning_pb2.ListModelsResponse(models=models)

    def GetModel(self, request, context):
        return learning_pb2.GetModelResponse(
            model=self.model(), manifest_json='{"a":1}', report_json='{"passed":true}'
        )

    def Promote(self, request, context):
        self.refuse(context)
        self.promoted.append(request)
        return learning_pb2.PromoteResponse(model=self.model())

    def Rollback(self, request, context):
        return learning_pb2.RollbackResponse()

    def GetGate(self, request, context):
        raise NotImplementedError

    def GrantProvisional(self, request, context):
        raise NotImplementedError

    def CloseGate(self, request, context):
        raise NotImplementedError

    def ListTeachable(self, request, context):
        raise NotImplementedError

    def GetTeachable(self, request, context):
        raise NotImplementedError

    def GetAlike(self, request, context):
        raise NotImplementedError

    def Teach(self, request, context):
        raise NotImplementedError

    def UndoTeach(self, request, context):
        raise NotImplementedError

    def ReturnTeachable(self, request, context):
        raise NotImplementedError

    def GetAgreement(self, request, context):
        raise NotImplementedError

    def DecideLabel(self, request, context):
        raise NotImplementedError

    def AddLabel(self, request, context):
        self.labels.append(request)
        return learning_pb2.AddLabelResponse(
            labels=[terms_pb2.Label(name="ok"), request.label]
        )

    def StartTraining(self, request, context):
        self.refuse(context)
        self.trained = self.can_train
        self.started.set()
        return learning_pb2.StartTrainingResponse(run_id="run-1")

    def WatchLearning(self, request, context):
        yield self.status("collecting", "waiting")
        self.started.wait(timeout=5.0)
        while self.silent and context.is_active():
            context.add_callback(self.started.set)
            self.started.clear()
            self.started.wait(timeout=5.0)
        yield self.status("training", "epoch 1")
        yield self.status("validating", "looking")
        yield self.status("collecting", "version 4 serves")

    def status(self, phase: str, text: str) -> learning_pb2.WatchLearningResponse:
        status = operator_pb2.LearningStatus(family="peg", phase=phase, text=text)
        return learning_pb2.WatchLearningResponse(status=status)


@contextmanager
def learning(fake: FakeLearning) -> Iterator[str]:
    def add(server: grpc.Server) -> None:
        learning_pb2_grpc.add_LearningServiceServicer_to_server(fake, server)

    with server_with(add) as address:
        yield address


def list_models(address: str, *, timeout_s: float = 5.0) -> None:
    with client.connect(address) as channel:
        stub = learning_pb2_grpc.LearningServiceStub(channel)
        request = learning_pb2.ListModelsRequest(family="peg")
        client.ask(stub.ListModels, request, timeout_s=timeout_s)


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_nobody_there_is_exit_9_and_says_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = free_address()

    code = main(["model", "list", "--family", "peg", "--server", address])

    complaint = capsys.readouterr().err
    assert code == 9
    assert complaint.startswith("andon: error: UNAVAILABLE: no coordinator answers")
    assert "andon serve" in complaint


@pytest.mark.parametrize(
    ("code", "token", "kind", "exit_code"),
    [
        (code_pb2.NOT_FOUND, "NOT_FOUND", errors.NotFoundError, 1),
        (
            code_pb2.FAILED_PRECONDITION,
            "PROMOTION_REFUSED",
            errors.PromotionRefusedError,
            1,
        ),
        (code_pb2.FAILED_PRECONDITION, "ARTIFACT_DIGEST", errors.ArtifactError, 6),
        (code_pb2.PERMISSION_DENIED, "SECOND_PERSON", errors.RoleError, 8),
        (code_pb2.UNAVAILABLE, "STORE_DEGRADED", errors.StoreDegradedError, 7),
        (code_pb2.UNAVAILABLE, "STORE_LATE", errors.StoreDegradedError, 7),
        (code_pb2.UNIMPLEMENTED, "NOT_SERVED", errors.NotServedError, 9),
        (code_pb2.INVALID_ARGUMENT, "BAD_ID", errors.BadIdError, 2),
        (code_pb2.INVALID_ARGUMENT, "A_NEW_TOKEN", errors.InputError, 2),
        (code_pb2.INTERNAL, "INTERNAL", errors.AndonError, 1),
    ],
)
def test_a_refusal_keeps_its_kind_its_token_and_its_sentence(
    code: int,
    token: str,
    kind: type[errors.AndonError],
    exit_code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with learning(FakeLearning((code, token, f"{token}: why not."))) as address:
        with pytest.raises(errors.AndonError) as refused:
            list_models(address)
        status = main(["model", "list", "--family", "peg", "--server", address])

    assert type(refused.value) is kind
    assert (refused.value.code, refused.value.text) == (token, "why not.")
    assert status == exit_code
    assert capsys.readouterr().err == f"andon: error: {token}: why not.\n"


def test_a_method_that_nobody_serves_is_exit_9(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with server_with(lambda server: None) as address:
        code = main(["model", "list", "--family", "peg", "--server", address])

    assert code == 9
    assert capsys.readouterr().err.startswith("andon: error: UNIMPLEMENTED: ")


def test_silence_ends_at_the_deadline() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        address = f"127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(errors.UnavailableError):
            list_models(address, timeout_s=0.2)


def test_models_are_listed_for_people_and_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with learning(FakeLearning()) as address:
        arguments = ["model", "list", "--family", "peg", "--server", address]
        assert main(arguments) == 0
        table = capsys.readouterr().out
        assert main([*arguments, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)

    assert "abababababab" in table
    assert "live" in table
    assert told[0]["model_digest"] == DIGEST
    assert told[0]["metrics"] == {"accuracy": 0.97}


def test_one_model_is_shown_with_its_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with learning(FakeLearning()) as address:
        assert main(["model", "show", "abababab", "--server", address]) == 0
        facts = capsys.readouterr().out
        assert main(["model", "show", "abababab", "--server", address, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)

    assert "accuracy" in facts
    assert told["report"] == {"passed": True}


def test_a_promotion_names_the_whole_digest_and_a_person() -> None:
    fake = FakeLearning()
    with learning(fake) as address:
        code = main(["model", "promote", "abababab", "--server", address])

    assert code == 0
    assert fake.promoted[0].model_digest == DIGEST
    assert fake.promoted[0].actor.person
    assert fake.promoted[0].idempotency_key


def test_a_rollback_to_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with learning(FakeLearning()) as address:
        code = main(["model", "rollback", "--family", "peg", "--server", address])

    assert code == 0
    assert "everything is asked" in capsys.readouterr().out


def test_a_label_is_added_with_its_action(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeLearning()
    with learning(fake) as address:
        code = main(
            [
                "label",
                "add",
                "burr",
                "--family",
                "peg",
                "--action",
                "rework",
                "--server",
                address,
            ]
        )

    assert code == 0
    assert fake.labels[0].label.action == terms_pb2.ACTION_REWORK
    assert "burr" in capsys.readouterr().out


def test_an_unknown_action_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["label", "add", "burr", "--family", "peg", "--action", "weld"])

    assert code == 2
    assert "rework" in capsys.readouterr().err


def test_a_training_is_followed_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    with learning(FakeLearning()) as address:
        code = main(["train", "--family", "peg", "--server", address, "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["run_id"] == "run-1"
    assert told["status"]["text"] == "version 4 serves"


def test_a_training_that_gives_no_model_is_exit_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake = FakeLearning()
    fake.can_train = False
    with learning(fake) as address:
        code = main(["train", "--family", "peg", "--server", address, "--json"])

    assert code == 1
    assert capsys.readouterr().err.startswith("andon: error: NO_MODEL: ")


def test_a_training_that_nobody_hears_of_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "BEGIN_WITHIN_S", 0.2)
    fake = FakeLearning()
    fake.silent = True
    with learning(fake) as address:
        code = main(["train", "--family", "peg", "--server", address, "--json"])

    assert code == 9
    assert "NOTHING_HAPPENED" in capsys.readouterr().err


def test_a_training_can_be_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with learning(FakeLearning()) as address:
        code = main(["train", "--family", "peg", "--server", address, "--no-wait"])

    assert code == 0
    assert "run-1" in capsys.readouterr().out


def test_the_server_is_the_configured_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    with learning(FakeLearning()) as address:
        path = tmp_path / "andon.toml"
        path.write_text(path.read_text().replace("127.0.0.1:50551", address, 1))
        code = main(["model", "list", "--family", "peg"])

    assert code == 0


def test_a_deaf_port_does_not_serve() -> None:
    assert client.is_serving(free_address(), timeout_s=0.2) is False


def test_who_has_to_log_in_is_told_how(capsys: pytest.CaptureFixture[str]) -> None:
    refusal = (code_pb2.UNAUTHENTICATED, "LOGIN_REQUIRED", "LOGIN_REQUIRED: log in.")
    with learning(FakeLearning(refusal)) as address:
        status = main(["model", "list", "--family", "peg", "--server", address])

    assert status == 8
    assert "log in. Log in with `andon user login NAME --token-file FILE`" in (
        capsys.readouterr().err
    )
