"""Whoever reads andon/v1/*.proto finds a sentence, and where it matters a unit."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc_tools import protoc

from tests.house.sources import ROOT

PROTO = ROOT / "proto"

# The numbers of these fields in descriptor.proto, of which source locations are made.
MESSAGES, ENUMS, SERVICES = 4, 5, 6
FIELDS, NESTED, NESTED_ENUMS, ENUM_VALUES, METHODS = 2, 3, 4, 2, 2

Spot = tuple[int, ...]


def _messages(file: FileDescriptorProto) -> Iterator[tuple[Spot, str]]:
    waiting: list[tuple[Spot, DescriptorProto, str]] = [
        ((MESSAGES, i), message, message.name)
        for i, message in enumerate(file.message_type)
    ]
    while waiting:
        spot, message, title = waiting.pop()
        if message.options.map_entry:
            continue
        yield spot, title
        for i, field in enumerate(message.field):
            yield (*spot, FIELDS, i), f"{title}.{field.name}"
        for i, nested in enumerate(message.nested_type):
            waiting.append(((*spot, NESTED, i), nested, f"{title}.{nested.name}"))
        for i, enum in enumerate(message.enum_type):
            yield (*spot, NESTED_ENUMS, i), f"{title}.{enum.name}"


def _declared(file: FileDescriptorProto) -> Iterator[tuple[Spot, str]]:
    """Where each declaration stands, and its name."""
    yield from _messages(file)
    for i, enum in enumerate(file.enum_type):
        yield (ENUMS, i), enum.name
        for j, value in enumerate(enum.value):
            yield (ENUMS, i, ENUM_VALUES, j), f"{enum.name}.{value.name}"
    for i, service in enumerate(file.service):
        yield (SERVICES, i), service.name
        for j, method in enumerate(service.method):
            yield (SERVICES, i, METHODS, j), f"{service.name}.{method.name}"


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> list[FileDescriptorProto]:
    """The .proto files with their comments, as protoc reads them."""
    out = tmp_path_factory.mktemp("contract") / "contract.binpb"
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTO}",
            f"--proto_path={resources.files('grpc_tools') / '_proto'}",
            f"--descriptor_set_out={out}",
            "--include_source_info",
            *sorted(map(str, PROTO.glob("andon/v1/*.proto"))),
        ]
    )
    assert status == 0
    return list(FileDescriptorSet.FromString(Path(out).read_bytes()).file)


def test_every_declaration_has_a_comment(contract: list[FileDescriptorProto]) -> None:
    silent = []
    for file in contract:
        said = {
            tuple(location.path)
            for location in file.source_code_info.location
            if (location.leading_comments or location.trailing_comments).strip()
        }
        silent += [
            f"{file.name}: {title}"
            for spot, title in _declared(file)
            if spot not in said
        ]

    assert silent == []


def test_the_five_services_are_there(contract: list[FileDescriptorProto]) -> None:
    services = {service.name for file in contract for service in file.service}

    assert services == {
        "AccessService",
        "CellService",
        "InsightService",
        "LearningService",
        "OperatorService",
    }


def test_unset_is_the_first_value_of_every_enum(
    contract: list[FileDescriptorProto],
) -> None:
    # Zero is what a sender that forgot says, so zero must mean nothing.
    firsts = [enum.value[0].name for file in contract for enum in file.enum_type]

    assert [first for first in firsts if not first.endswith("_UNSPECIFIED")] == []
