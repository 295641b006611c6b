"""What tests of drills share: octets that come one by one come fast."""

import pytest


@pytest.fixture(autouse=True)
def _octets_come_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.drills.post.PAUSE_S", 0.0002)
    monkeypatch.setattr("sandbox.drills.post.FIRST_PAUSE_S", 0.0)
