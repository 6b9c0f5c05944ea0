"""Draw a view: its manifest and its indices into the packed dataset."""

import numpy as np

from apr.files import atomic_path, file_digest, read_json, write_json
from apr.logs import log_to
from apr.npz import save_npz
from apr.views import select_view

with log_to(snakemake.log[0]):
    within = read_json(snakemake.input.within[0]) if snakemake.input.within else None
    manifest, arrays = select_view(
        snakemake.wildcards.view,
        snakemake.params.view,
        read_json(snakemake.input.dataset),
        np.load(snakemake.input.index, mmap_mode="r", allow_pickle=False),
        within,
    )
    with atomic_path(snakemake.output.indices) as part:
        save_npz(part, arrays)
    write_json(snakemake.output.manifest, manifest | {"indices_digest": file_digest(snakemake.output.indices)})
