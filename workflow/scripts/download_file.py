"""Fetch one file of a source and check it."""

from pathlib import Path

from apr.basics.causes import reading
from apr.basics.logs import log_to
from apr.data.sources.download import download

with log_to(snakemake.log[0]), reading(snakemake.output[0]):
    download(
        snakemake.params.declared | {"url": snakemake.params.url},
        Path(snakemake.output[0]),
        root=Path(snakemake.params.root),
        mirror=snakemake.params.mirror,
        source=snakemake.wildcards.dataset,
        login=snakemake.params.login,
    )
