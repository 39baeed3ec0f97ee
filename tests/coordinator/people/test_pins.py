"""The slow hash is given no more than a PIN can have."""

import pytest
from argon2 import PasswordHasher

from coordinator.people.pins import MOST_DIGITS, PinHasher


def test_what_is_longer_than_any_pin_is_not_hashed(monkeypatch: pytest.MonkeyPatch):
    hasher = PinHasher(passes=1, memory_kib=64)
    kept = hasher.hashed("314159")
    given: list[int] = []
    verify = PasswordHasher.verify

    def noted(self: PasswordHasher, of: str, pin: str) -> bool:
        given.append(len(pin))
        return verify(self, of, pin)

    monkeypatch.setattr(PasswordHasher, "verify", noted)

    assert not hasher.matches(kept, "7" * 1_000_000)
    assert given == [MOST_DIGITS]
