"""The committed stubs are what the .proto files say."""

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.house.sources import ROOT, dotted

CONTRACT = ROOT / "proto/andon/v1"


def _generate() -> ModuleType:
    """proto/generate.py as a module; proto/ is a source root, not a package."""
    spec = importlib.util.spec_from_file_location(
        "generate", ROOT / "proto/generate.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _descriptor(stub: Path) -> bytes:
    """The serialized file descriptor inside a *_pb2.py."""
    for node in ast.walk(ast.parse(stub.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and dotted(node.func) == "":
            assert isinstance(node.func, ast.Attribute)
            if node.func.attr == "AddSerializedFile":
                written = ast.literal_eval(node.args[0])
                assert isinstance(written, bytes)
                return written
    pytest.fail(f"{stub.name} holds no descriptor")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stubs")
    assert _generate().main(out) == 0
    return out / "andon/v1"


def test_every_stub_is_committed_and_none_is_left_over(fresh: Path) -> None:
    written = {path.name for path in fresh.iterdir()}
    committed = {path.name for path in CONTRACT.glob("*_pb2*.py*")}

    assert committed == written


# Descriptors, not text: the text also changes with the generator's version.
@pytest.mark.parametrize("source", sorted(p.stem for p in CONTRACT.glob("*.proto")))
def test_stub_describes_its_source(fresh: Path, source: str) -> None:
    stub = f"{source}_pb2.py"

    assert _descriptor(CONTRACT / stub) == _descriptor(fresh / stub)
