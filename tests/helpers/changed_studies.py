"""The studies of the repository, changed, and the errors that these changes make."""

import yaml

from checks.config import check_config
from study import ROOT


def errors_of(config, tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(config))
    return [error.removeprefix(f"{file}: ") for error in check_config(config, [file])]


def merge(base, more):
    for key, value in more.items():
        base[key] = merge(base.get(key) or {}, value) if isinstance(value, dict) else value
    return base


def shipped(*names):
    config = {}
    for name in names:
        merge(config, yaml.safe_load((ROOT / name).read_text()))
    return config
