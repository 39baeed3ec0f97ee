"""Under which ids an entry is found, and to which it leads."""

from coordinator.store.fold import mentioned, rests_on
from tests.coordinator.store.store_world import digest, example, make_window


def test_an_example_leads_to_its_model_and_is_not_found_by_it() -> None:
    # A model has thousands of them: its own story is not theirs.
    event = example()

    assert mentioned(event) == {"e-1", make_window().window_id}
    assert digest("model") in rests_on(event)
