"""Check all files of a source, or survey the folder that the user has already."""

from pathlib import Path

from apr.basics.causes import reading
from apr.basics.files import write_json
from apr.basics.logs import log_to
from apr.data.reading.survey import survey_folder
from apr.data.sources.download import download, verify

with log_to(snakemake.log[0]), reading(snakemake.wildcards.dataset):
    name, params = snakemake.wildcards.dataset, snakemake.params
    if params.folder:
        manifest = survey_folder(name, Path(params.folder))
    else:
        folder = Path(params.raw)
        # What has no address lies here by hand, or a mirror has it.
        for file in params.files:
            if not (folder / file["name"]).exists():
                places = {"root": Path(params.root), "mirror": params.mirror, "source": name}
                download(file, folder / file["name"], **places, logins=params.logins[file["name"]])
        trusted = None if params.made_here else Path(params.trusted)
        manifest = verify(name, params.files, folder, trusted, logins=params.logins)
    write_json(snakemake.output.manifest, manifest)
