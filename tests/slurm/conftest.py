"""One cluster for all tests of this folder, which skip where SLURM is not installed."""

import pytest
from slurm_cluster import Cluster, missing


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if missing():
        pytest.skip(f"SLURM is not installed ({', '.join(missing())} missing); `make test-slurm` installs it")
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    cluster.start()
    yield cluster
    cluster.stop()
