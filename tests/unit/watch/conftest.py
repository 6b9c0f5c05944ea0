"""A study whose files are made up, for the audit."""

import pytest
from fabricated import study


@pytest.fixture
def made(tmp_path):
    return tmp_path, *study(tmp_path)
