"""Names that somebody may have meant."""

from ros_nodes.check.near import near_names, near_words

JOINTS = "sensor_msgs/msg/JointState"
TEXT = "std_msgs/msg/String"


def test_the_same_last_word_comes_before_a_name_that_is_alike() -> None:
    there = {
        "/cell/joint_stats": (JOINTS,),
        "/ur5e/joint_states": (JOINTS,),
        "/a": (JOINTS,),
        "/b": (JOINTS,),
    }

    found = near_names("/cell/joint_states", JOINTS, there)

    assert found == ("/ur5e/joint_states", "/cell/joint_stats")


def test_the_only_topic_of_a_type_is_meant_whatever_it_is_called() -> None:
    there = {"/state": (JOINTS,), "/cell/joint_states_raw": (TEXT,)}

    assert near_names("/cell/joint_states", JOINTS, there) == ("/state",)


def test_a_name_of_another_type_is_better_than_none() -> None:
    there = {"/ur/joint_states": (TEXT,), "/rosout": (TEXT,)}

    assert near_names("/cell/joint_states", JOINTS, there) == ("/ur/joint_states",)


def test_a_prefix_is_found_before_a_misspelling() -> None:
    there = ["elbow_joints", "ur5e_elbow_joint", "shoulder_joint"]

    assert near_words("elbow_joint", there)[0] == "ur5e_elbow_joint"
