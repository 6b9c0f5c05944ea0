"""Evaluations of pretrained models on one test set, made into its error table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from apr.basics.problems import Problem
from apr.runs.protocol import check_protocol, planned_protocol
from apr.runs.record import COLUMNS, error_row, read_run


def evaluation_table(models: Sequence[str], paths: Sequence[str | Path], manifest: Mapping[str, Any]) -> pd.DataFrame:
    """The error table (columns of `runs.COLUMNS`) of runs of evaluate.py; its `error` is the top-1 error.

    Args:
        models: as the study names them, e.g. "timm:resnet18.a1_in1k".
        paths: of their runs, in the same order.
        manifest: of the view (`results/views/<view>.json`).

    Raises:
        Problem: a run is broken, of another model, of other images or of an older revision.
    """
    rows = []
    for model, path in zip(models, paths, strict=True):
        run = read_run(path)
        if run["model"] != model:
            raise Problem(f"{path}: is a run of {run['model']}, not of {model}; delete it and run again")
        expected = planned_protocol(model, manifest)
        # weights, outputs and preprocessing are known only when the weights are there
        known = {key: run["protocol"].get(key) for key in expected}
        check_protocol(run | {"protocol": known}, expected, str(path))
        rows.append(error_row(run, "top1"))
    return pd.DataFrame(rows, columns=COLUMNS)
