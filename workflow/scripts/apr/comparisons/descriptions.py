"""The tables that describe a study: its datasets, settings and reference networks, and what it makes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.table import Table
from apr.comparisons.wording import number, sentence
from apr.runs.metrics import METRICS, PLAIN

NOT_STATED = "not stated"


def dataset_table(manifests: Mapping[str, Mapping[str, Any]], entries: Mapping[str, Mapping[str, Any]]) -> Table:
    """What each dataset holds (Table 1).

    Args:
        manifests: of the packed datasets, by name.
        entries: title, domain, licence and home of each dataset, in the order of the rows; any may be None.

    Raises:
        Problem: a dataset has no manifest.
    """
    missing = [name for name in entries if name not in manifests]
    if missing:
        raise Problem(f"results/datasets/{missing[0]}.json: is not among the manifests; let Snakemake make it")
    validated = any("n_validation" in manifests[name] for name in entries)
    parts = ("train", "validation", "test") if validated else ("train", "test")
    rows, shown = [], []
    for name, entry in entries.items():
        manifest = manifests[name]
        about = {key: entry.get(key) or NOT_STATED for key in ("domain", "licence", "home")}
        title, sizes = entry.get("title") or name, manifest["sizes"]
        images = {f"n_{part}": manifest.get(f"n_{part}", 0) for part in parts}
        counts = images | {"classes": len(manifest["classes"])}
        measures = {f"{side}_{key}": sizes[side][key] for side in ("height", "width") for key in sizes[side]}
        odd = _odd(manifest)
        split = _split(manifest["split"])
        if validated:
            split["validation_fraction"] = manifest["split"].get("validation_fraction")
            odd["copies_validation_elsewhere"] = manifest.get("copies", {}).get("validation_elsewhere")
        rows.append({"dataset": name, "title": title, **counts, **measures, **about, **split, **odd})
        shown.append(
            {
                "Dataset": title,
                f"Images ({' + '.join(parts)})": " + ".join(f"{count:,}" for count in images.values()),
                "Classes": f"{counts['classes']:,}",
                "Height × width (px)": _size(sizes),
                "Domain": about["domain"],
                "Licence": about["licence"],
                "Source": about["home"],
                "Left out or odd": odd["notes"],
            }
        )
    data = pd.DataFrame(rows)
    drawn = data.loc[data["split"] == "drawn", "title"].tolist()
    words = {"train": "training", "validation": "validation", "test": "test"}
    images = [f"{data[f'n_{part}'].sum():,} {words[part]}" for part in parts]
    caption = (
        f"The {len(data)} datasets, with {', '.join(images[:-1])} and {images[-1]} images as counted when they were "
        "packed. Where height and width vary, they are medians; the smallest and the largest are in brackets. "
        f"{_drawn(drawn, len(data))}{_cut(data) if validated else ''} Licences are as the publishers state them."
    )
    return Table(data, pd.DataFrame(shown), caption)


def settings_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """How the models are trained on each task, and what it reports (Table 2).

    Args:
        rows: title, dataset (a title), epochs, batch, lr, weight_decay, resolution (px) and metric of the tasks in
            order; other keys stand in the data only.
    """
    shown = [
        {
            "Task": row["title"],
            "Dataset": row["dataset"],
            "Epochs": row["epochs"],
            "Batch": row["batch"],
            "Learning rate": f"{row['lr']:g}",
            "Weight decay": f"{row['weight_decay']:g}",
            "Resolution (px)": row["resolution"],
            "Metric": METRICS[row["metric"]].title,
        }
        for row in rows
    ]
    caption = (
        f"Settings of the {len(shown)} tasks as they were trained here: the configuration of this study, not values "
        "taken from the paper; where each comes from, and which the paper leaves open, stands in the configuration. "
        "Learning rate: the highest of a training; it falls along half a cosine, epoch by epoch."
    )
    return Table(pd.DataFrame(list(rows)), pd.DataFrame(shown), caption)


def reference_table(scores: pd.DataFrame, networks: Sequence[Mapping[str, Any]], title: str) -> Table:
    """Scores of known networks beside their shapes (Table A1).

    Args:
        scores: of these networks, on tasks of one metric (`apr.scores.frames.read_models`).
        networks: name (the model in the score table), title, block, depths, widths, params and flops (multiply-adds).
        title: of the dataset.

    Raises:
        Problem: a network is not described, or was trained twice, or the tasks differ in their metrics.
    """
    twice = scores.index[scores.index.duplicated()]
    if len(twice):
        raise Problem(f"{title}: there are two scores of the network {twice[0]}; name one task of it as the reference")
    unknown = scores.index.difference([network["name"] for network in networks])
    if len(unknown):
        raise Problem(f"{title}: the network {unknown[0]} was trained, but is not described; add it to the networks")
    metrics = list(scores["metric"].unique())
    if len(metrics) > 1:
        raise Problem(f"{title}: the networks' tasks report {' and '.join(metrics)}; name tasks of one metric")
    metric = METRICS[metrics[0]] if metrics else PLAIN
    rows, shown = [], []
    for network in networks:
        trained = network["name"] in scores.index
        value, status = scores.loc[network["name"], ["value", "status"]] if trained else (None, "not trained")
        described = {"depths": _stages(network["depths"]), "widths": _stages(network["widths"])}
        rows.append({**network, **described, metric.name: value, "status": status})
        shown.append(
            {
                "Network": network["title"],
                "Block": network["block"],
                "Depths": described["depths"],
                "Widths": described["widths"],
                "Parameters (M)": number(network["params"] / 1e6, 2),
                "Multiply-adds (M)": number(network["flops"] / 1e6, 1),
                f"{sentence(metric.name)}{f' ({metric.unit})' if metric.unit else ''}": number(value, 2)
                if status == "completed"
                else status,
            }
        )
    data = pd.DataFrame(rows)
    caption = (
        f"Reference networks on {title}: blocks and channels of each stage, parameters, multiply-adds of one image, "
        f"and the {metric.title} on the test images after the last epoch. {(data['status'] == 'completed').sum()} of "
        f"{len(data)} completed; each was trained once, so that the {metric.words} carry the spread of a single "
        "training."
    )
    return Table(data, pd.DataFrame(shown), caption)


def items_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Which items of the paper a study makes, and what it lacks for the others.

    Args:
        rows: item (its number in the paper), target, shows, and lacks (None where the target is made).
    """
    data = pd.DataFrame([{**row, "made": row["lacks"] is None} for row in rows])
    shown = [
        {
            "Item": row["item"],
            "Shows": row["shows"],
            "Target": row["target"],
            "Made": "yes" if row["lacks"] is None else f"no: the study lacks {row['lacks']}",
        }
        for row in rows
    ]
    rest = "" if data["made"].all() else "; for the others it lacks what is named"
    caption = (
        "The tables and figures of the paper, and some beyond it, with the targets that make them. This study makes "
        f"{data['made'].sum()} of {len(data)}{rest}."
    )
    return Table(data, pd.DataFrame(shown), caption)


def _size(sizes: Mapping[str, Any]) -> str:
    """Such as "32 × 32", or "median 450 × 600 (300–450 × 400–600)"."""
    sides = [sizes["height"], sizes["width"]]
    medians = " × ".join(f"{side['median']:g}" for side in sides)
    if sizes["distinct"] == 1:
        return medians
    ranges = [f"{side['min']}" if side["min"] == side["max"] else f"{side['min']}–{side['max']}" for side in sides]
    return f"median {medians} ({' × '.join(ranges)})"


def _odd(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """How many files were left out, copies there are, and all that looks odd, in sentences."""
    copies = manifest.get("copies", {})
    return {
        "left_out": sum(manifest.get("ignored", {}).values()),
        **{f"copies_{kind}": copies.get(kind) for kind in ("test_in_train", "two_labels", "near_test_in_train")},
        "notes": "; ".join(manifest.get("notes", [])) or "–",
    }


def _split(split: Mapping[str, Any]) -> dict[str, Any]:
    """Where the test part comes from: the publisher ("shipped") or a seeded draw."""
    return {"split": split["rule"], "split_by": split.get("by"), "test_fraction": split.get("test_fraction")}


def _drawn(titles: Sequence[str], total: int) -> str:
    if not titles:
        return "All publishers ship the test part."
    which = "every dataset" if len(titles) == total else ", ".join(titles)
    return f"The publisher ships no test part of {which}; it was drawn at random with a seed."


def _cut(data: pd.DataFrame) -> str:
    """Whose validation part was drawn."""
    titles = data.loc[data["validation_fraction"].fillna(0) > 0, "title"]
    return f" The validation part of {', '.join(titles)} was cut out of train, with a seed." if len(titles) else ""


def _stages(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))
