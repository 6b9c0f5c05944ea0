"""The studies of the repository, changed, and the errors that these changes make."""

import yaml

from checks.config import check_config
from study import ROOT
from study.settings import read_yaml


def errors_of(config, tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(yaml.dump(config, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))
    return [error.removeprefix(f"{file}: ") for error in check_config(config, [file])]


def merge(base, more):
    for key, value in more.items():
        base[key] = merge(base.get(key) or {}, value) if isinstance(value, dict) else value
    return base


def shipped(*names):
    config = {}
    for name in names:
        merge(config, read_yaml(ROOT / name))
    return config
