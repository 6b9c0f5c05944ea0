"""Pack a dataset: bytes, index, names, manifest."""

from pathlib import Path

from apr.basics.causes import reading
from apr.basics.files import read_json
from apr.basics.logs import log_to
from apr.data.formats import read_listing
from apr.data.packing import pack_dataset
from apr.data.sources.archives import hinting

with log_to(snakemake.log[0]), reading(snakemake.wildcards.dataset):
    params = snakemake.params
    unpacked = read_json(snakemake.input.unpacked)
    with hinting(unpacked):
        listing = read_listing(Path(unpacked["folder"]), params.format, params.options)
    pack_dataset(
        listing,
        Path(params.stem),
        Path(snakemake.output.manifest),
        name=snakemake.wildcards.dataset,
        storage=params.storage,
        split=params.split,
        classes=params.classes,
        about=params.about | {"sources": read_json(snakemake.input.source)["files"]},
        threads=snakemake.threads,
    )
