"""Write the Python stubs beside their .proto sources.

Run after a change to a .proto file (`make proto`); tests/house/test_stubs.py fails when
somebody forgot. protoc's own imports already read `from andon.v1 import ...`, because
proto/ is a source root, so nothing is rewritten.
"""

import sys
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent


def main(out: Path = ROOT) -> int:
    """Generate messages, their types and the service stubs.

    Args:
        out: The folder that receives `andon/v1/*_pb2*`; it must exist.

    Returns:
        The exit status of protoc, 0 when every stub was written.
    """
    sources = sorted(str(path) for path in ROOT.glob("andon/v1/*.proto"))
    # The plugins lie beside the interpreter, which need not be on PATH.
    scripts = Path(sys.executable).parent
    status: int = protoc.main(
        [
            "protoc",
            f"--proto_path={ROOT}",
            f"--proto_path={resources.files('grpc_tools') / '_proto'}",
            f"--plugin=protoc-gen-mypy={scripts / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={scripts / 'protoc-gen-mypy_grpc'}",
            f"--python_out={out}",
            f"--grpc_python_out={out}",
            f"--mypy_out=quiet:{out}",
            f"--mypy_grpc_out=quiet:{out}",
            *sources,
        ]
    )
    return status


if __name__ == "__main__":
    sys.exit(main())
