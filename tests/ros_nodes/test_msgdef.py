"""Definitions read off message classes: every type within them is there, once."""

import pytest

from ros_nodes.msgdef import UnknownTypeError, class_named, definition, full_name

FIELDS = {
    "plant_msgs/msg/Grip": {
        "header": "std_msgs/Header",
        "tool": "string<20>",
        "forces": "sequence<float>",
        "pose": "double[7]",
        "fingers": "sequence<plant_msgs/Finger, 3>",
        "first": "plant_msgs/Finger",
        "closed": "boolean",
        "raw": "sequence<octet>",
        "notes": "sequence<string<5>, 2>",
    },
    "plant_msgs/msg/Finger": {"stamp": "builtin_interfaces/Time", "n": "uint16"},
    "std_msgs/msg/Header": {"stamp": "builtin_interfaces/Time", "frame_id": "string"},
    "builtin_interfaces/msg/Time": {"sec": "int32", "nanosec": "uint32"},
    "std_msgs/msg/Empty": {},
}


def plant_class(kind: str) -> type:
    class Message:
        @classmethod
        def get_fields_and_field_types(cls):
            return FIELDS[kind]

    return Message


def test_a_definition_holds_every_type_once() -> None:
    ruler = "=" * 80

    assert definition("plant_msgs/Grip", plant_class) == (
        "std_msgs/Header header\n"
        "string<=20 tool\n"
        "float32[] forces\n"
        "float64[7] pose\n"
        "plant_msgs/Finger[<=3] fingers\n"
        "plant_msgs/Finger first\n"
        "bool closed\n"
        "byte[] raw\n"
        "string<=5[<=2] notes\n"
        f"{ruler}\nMSG: std_msgs/Header\n"
        "builtin_interfaces/Time stamp\n"
        "string frame_id\n"
        f"{ruler}\nMSG: plant_msgs/Finger\n"
        "builtin_interfaces/Time stamp\n"
        "uint16 n\n"
        f"{ruler}\nMSG: builtin_interfaces/Time\n"
        "int32 sec\n"
        "uint32 nanosec\n"
    )


def test_a_message_without_fields_has_an_empty_definition() -> None:
    assert definition("std_msgs/msg/Empty", plant_class) == ""


@pytest.mark.parametrize(
    "kind",
    ["", "JointState", "a/b/c/d", "std_msgs/srv/Name", "../evil/msg/Name", "os/msg/x"],
)
def test_what_is_no_name_of_a_message_is_refused(kind: str) -> None:
    with pytest.raises(UnknownTypeError):
        full_name(kind)


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(UnknownTypeError, match="nobody_has_this/msg/Grip"):
        class_named("nobody_has_this/msg/Grip")


def test_a_class_that_says_nothing_is_refused() -> None:
    with pytest.raises(UnknownTypeError, match="does not say its fields"):
        definition("std_msgs/msg/String", lambda kind: object)
