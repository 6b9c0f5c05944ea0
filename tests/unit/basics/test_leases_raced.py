"""Of several that take a lease over, one does."""

import json
import logging
from types import SimpleNamespace

import pytest

from apr.basics.leases import Lease


@pytest.mark.parametrize(
    ("reason", "meanwhile", "taken"), [(None, 0, False), ("is gone", 0, True), ("is gone", 1, False)]
)
def test_a_lease_is_taken_over_only_while_it_is_the_one_that_was_found(tmp_path, caplog, reason, meanwhile, taken):
    path = tmp_path / "lease"
    holder = {"pid": 7, "host": "other", "job": None}
    path.write_text(json.dumps(holder))
    lease = SimpleNamespace(
        path=path, thing="run", _gone=lambda found: reason, _found=lambda: (holder, 5.0 + meanwhile)
    )
    with caplog.at_level(logging.INFO):
        assert Lease._taken_over(lease, (holder, 5.0)) is taken
    assert path.exists() is not taken
    assert ["is gone; taking its run over" in text for text in caplog.messages] == [True] * taken
