"""Draw a view of a packed dataset."""

import numpy as np

from apr.basics.files import read_json, write_json
from apr.basics.logs import log_to
from apr.basics.problems import Problem
from apr.data.views import select_view
from apr.runs.metrics import check_metric

with log_to(snakemake.log[0]) as log:
    manifest = select_view(
        snakemake.wildcards.view,
        snakemake.params.view,
        read_json(snakemake.input.dataset),
        np.load(snakemake.input.index, mmap_mode="r", allow_pickle=False),
        read_json(snakemake.input.within[0]) if snakemake.input.within else None,
    )
    for task, metric in snakemake.params.metrics.items():
        try:
            check_metric(task, metric, manifest)
        except Problem as problem:
            log.warning("%s; none of its runs and nothing that compares it can be made, all else is", problem)
    write_json(snakemake.output.manifest, manifest)
