"""Write the configuration of the study: as its files say it, and in effect."""

import json
from pathlib import Path

import yaml

from apr.basics.files import write_text
from apr.basics.logs import log_to

with log_to(snakemake.log[0]):
    plain = json.loads(json.dumps(snakemake.params.effective))  # without Snakemake's own types and YAML's anchors
    given = {name: Path(path).read_text("utf-8-sig", "replace") for name, path in snakemake.params.given.items()}
    write_text(snakemake.output.given, "\n".join(f"# --- {name}\n{text}" for name, text in given.items()))
    write_text(snakemake.output.effective, yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
