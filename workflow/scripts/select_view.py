"""Draw a view of a packed dataset."""

import numpy as np

from apr.files import read_json, write_json
from apr.logs import log_to
from apr.runs import check_reported
from apr.views import select_view

with log_to(snakemake.log[0]):
    manifest = select_view(
        snakemake.wildcards.view,
        snakemake.params.view,
        read_json(snakemake.input.dataset),
        np.load(snakemake.input.index, mmap_mode="r", allow_pickle=False),
        read_json(snakemake.input.within[0]) if snakemake.input.within else None,
    )
    for task in snakemake.params.top5:
        check_reported(task, "top5", manifest)
    write_json(snakemake.output.manifest, manifest)
