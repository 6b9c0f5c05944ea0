"""One cluster for all tests of this folder, which skip where SLURM is not installed."""

import pytest
from cluster_study import Study
from slurm_cluster import Cluster, missing

VIEW = "results/views/digits.json"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if missing():
        pytest.skip(f"SLURM is not installed ({', '.join(missing())} missing); `make test-slurm` installs it")
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """The folder of a study whose images are there; copy it."""
    folder = tmp_path_factory.mktemp("prepared") / "study"
    done = Study(folder, None).run(VIEW)
    assert done.returncode == 0, done.output[-3000:]
    return folder
