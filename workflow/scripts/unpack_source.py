"""Unpack a source's archives into a folder, and say where the reader finds its files."""

from pathlib import Path

from apr.basics.causes import reading
from apr.basics.files import read_json, write_json
from apr.basics.logs import log_to
from apr.data.sources.archives import unpack_all

with log_to(snakemake.log[0]), reading(snakemake.wildcards.dataset):
    params = snakemake.params
    report = {"dataset": snakemake.wildcards.dataset}
    if params.folder or not params.unpack:
        report |= {"folder": params.folder or params.raw, "sources": []}
    else:
        names = [row["name"] for row in read_json(snakemake.input.source)["files"]]
        paths = [Path(params.raw, name) for name in names]
        options = {"nested": params.nested, "encoding": params.names_encoding}
        report |= {"folder": params.unpacked} | unpack_all(paths, Path(params.unpacked), **options)
    write_json(snakemake.output.manifest, report)
