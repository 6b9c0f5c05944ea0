"""Write the configuration of the study: as its files say it, and in effect."""

import json

import yaml

from apr.basics.files import write_text
from apr.basics.logs import log_to

with log_to(snakemake.log[0]):
    plain = json.loads(json.dumps(snakemake.params.effective))  # without Snakemake's own types and YAML's anchors
    write_text(snakemake.output.given, snakemake.params.given)
    write_text(snakemake.output.effective, yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
