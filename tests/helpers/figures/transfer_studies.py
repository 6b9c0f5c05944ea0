"""Fine-tuned models as their runs would leave them: outputs of a test part, runs, score tables, resampled images."""

import functools
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from fabricated import write_json

from apr.basics.escaping import plain
from apr.basics.files import file_digest
from apr.comparisons.transfer.targets import read_transfer
from apr.data.sources.npz import save_npz
from apr.models.names import run_name
from apr.runs.finetuning.scored import counts_of, score
from apr.runs.metrics import METRICS, part_of
from apr.runs.record import new_run
from apr.scores.resampled import resample, write_resampled
from apr.scores.table import score_row, value_row, write_scores

# ImageNet top-1 accuracy (%) of ten models, as a study of small ones may have them
IMAGENET = {
    "own:studies/networks/tf_quant.py:mobilenetv1_025": 39.9,
    "own:studies/networks/deep_compression.py:squeezenet": 57.5,
    "own:studies/networks/tf_quant.py:mobilenetv1_050": 57.7,
    "torchvision:squeezenet1_1.IMAGENET1K_V1": 58.2,
    "own:studies/networks/tf_quant.py:mobilenetv1_075": 66.2,
    "own:studies/networks/tf_quant.py:mobilenetv1_100": 69.7,
    "own:studies/networks/tf_quant.py:mobilenetv2_100": 70.8,
    "timm:tf_efficientnet_lite0.in1k": 74.8,
    "timm:tf_efficientnet_lite1.in1k": 76.7,
    "timm:tf_efficientnet_lite2.in1k": 77.5,
}
RESAMPLES, SEED = 300, 0


class Target:
    """A task of fine-tuned models: how many images, classes and groups its test part has, how good the models are.

    `level` is added to the score of the true class, `gain` times the ImageNet accuracy too, both in logits; `several`
    gives each image any of the labels, `cells` the learning rates of a grid of which each model's best counts.
    """

    def __init__(
        self, name, metric="top1_accuracy", images=300, classes=4, level=1.0, gain=0.02, scatter=0.1, several=False,
        groups=0, seeds=(1,), cells=(), view=None, rare=False, models=IMAGENET,
    ):  # fmt: skip
        self.name, self.metric, self.view, self.models = name, METRICS[metric], view or name, list(models)
        self.level, self.gain, self.scatter, self.seeds, self.cells = level, gain, scatter, seeds, cells
        rng = np.random.default_rng([len(self.view), *map(ord, self.view)])  # images go by the view
        shares = np.array([0.6**i for i in range(classes)])
        if several:
            shares = np.minimum(0.5, shares)
            shares[-1] = 0.01 if rare else shares[-1]
            self.labels = (rng.random((images, classes)) < shares).astype(np.uint8)
            self.labels[0] = 1
        else:
            self.labels = rng.choice(classes, images, p=shares / shares.sum())
            self.labels[:classes] = range(classes)
        self.hard = rng.normal(size=(images, classes))
        self.groups = np.sort(rng.integers(groups, size=images)) if groups else None
        self.rng = np.random.default_rng([1, *map(ord, name)])
        self.classes = classes

    def outputs(self, model, lift=0.0):
        """Scores of one run."""
        strength = self.level + self.gain * (IMAGENET[model] - 65) + lift + self.rng.normal(0, self.scatter)
        noise = (self.hard + self.rng.normal(size=self.hard.shape)) / 2**0.5
        if self.labels.ndim == 2:
            return (noise + (2.0 * self.labels - 1) * strength).astype(np.float32)
        noise[np.arange(len(self.labels)), self.labels] += strength
        return noise.astype(np.float32)

    def part(self, scores):
        """What a run says of a part."""
        counts = {} if self.labels.ndim == 2 else counts_of(scores, self.labels)
        values = {self.metric.name: score(self.metric.name, scores, self.labels)} if self.metric.scored else {}
        return part_of(len(scores), counts) | values

    def manifest(self):
        counts = self.labels.sum(0) if self.labels.ndim == 2 else np.bincount(self.labels, minlength=self.classes)
        names = [f"class {number}" for number in range(self.classes)]
        return {"view": self.view, "classes": names, "per_class": {"test": counts.tolist()}, "n_test": len(self.labels)}

    def write(self, root):
        """Runs, outputs and score table; returns the paths of runs and outputs in the table's order."""
        rows, runs, kept = [], [], []
        for number, model in enumerate(self.models):
            best = int(self.rng.integers(max(1, len(self.cells))))
            for cell, lr in enumerate(self.cells or [None]):
                for seed in self.seeds:
                    scores = self.outputs(model, -0.3 * abs(cell - best))
                    parts = {"validation": self.part(self.outputs(model, -0.3 * abs(cell - best)))}
                    parts["test"] = self.part(scores)
                    name = f"{run_name(model)}{f'-lr{lr}' if lr else ''}-s{seed}"
                    path = Path(root, f"results/outputs/{self.name}/{name}.npz")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    arrays = {"test_scores": scores, "test_labels": self.labels}
                    save_npz(path, arrays | ({} if self.groups is None else {"test_groups": self.groups}))
                    run = new_run(
                        task=self.name,
                        model=model,
                        protocol={"seed": seed, "lr": lr},
                        outcome={"status": "completed", "parts": parts},
                        history=[],
                        timing={"seconds": 1.0, "evaluated_images_per_second": 100.0 + number},
                        provenance={},
                    )
                    cost = {"parameters": 10**6 * (number + 1), "multiply_adds": 10**8 * (number + 1)}
                    run |= {"outputs": file_digest(path), "cost": cost}
                    write_json(Path(root, f"results/runs/{self.name}/{name}.json"), run)
                    row = score_row(
                        model, parts, self.metric, seed=seed, guess=self.guess(), cell={"lr": lr} if lr else {}
                    )
                    rows.append(row | {"chosen": "yes" if cell == best else "no"})
                    runs.append(Path(root, f"results/runs/{self.name}/{name}.json"))
                    kept.append(path)
        table = Path(root, f"results/scores/{self.name}.csv")
        table.parent.mkdir(parents=True, exist_ok=True)
        write_scores(table, rows)
        write_json(Path(root, f"results/views/{self.view}.json"), self.manifest())
        return table, runs, kept

    def guess(self):
        if self.labels.ndim == 2:  # all labels of each image
            share = self.labels.mean(axis=0)
            return float(100 * np.mean(2 * share / (1 + share)))
        shares = np.bincount(self.labels.ravel()) / self.labels.size
        return {"auc": 50.0, "quadratic_weighted_kappa": 0.0}.get(self.metric.name, round(100 * shares.max(), 6))

    def resampled(self, root):
        """The same with its test images resampled; returns score table and file."""
        table, runs, kept = self.write(root)
        path = Path(root, f"results/resampled/{self.name}.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_resampled(path, resample(table, runs, kept, self.manifest(), RESAMPLES, SEED))
        return table, path


def imagenet(root, models=IMAGENET, name="imagenet", images=50_000):
    """A published score table of ImageNet accuracy."""
    path = Path(root, f"results/scores/{name}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    metric = METRICS["top1_accuracy"]
    write_scores(path, [value_row(model, models[model], metric, images=images) for model in models])
    return path


TARGETS = {
    "eurosat": {"images": 500, "classes": 10, "level": 2.6, "gain": 0.02},
    "lesions": {"metric": "auc", "classes": 2, "groups": 120, "level": 0.7, "gain": 0.0, "scatter": 0.15},
    "proteins": {"metric": "macro_f1", "classes": 6, "several": True, "rare": True, "level": 0.6, "gain": 0.012},
}


TITLES = {"imagenet": "ImageNet", "imagenet_val": "Own pictures"} | {name: name.title() for name in TARGETS}
VARIANTS = {"probe": (-0.5, 1.0), "scratch": (-1.0, 0.2), "plain": (-0.25, 1.0)}
SETTINGS = {
    "reference": "imagenet",
    "evaluated": None,
    "targets": list(TARGETS),
    "above": 65.0,
    "after": "own:studies/networks/tf_quant.py:mobilenetv1_075",
    "probes": {name: f"{name}_probe" for name in TARGETS},
    "scratch": {name: f"{name}_scratch" for name in TARGETS},
    "augmentation": {name: f"{name}_plain" for name in TARGETS},
    "paper": {},
    "resamples": RESAMPLES,
}


PROBED = {"way": "probe", "classifier": "logistic", "resolution": 64}
TUNED = {"way": "finetune", "epochs": 3, "resolution": 64, "optimiser": "sgd", "start": "pretrained", "layers": "all"}


def hows(tasks):
    """How tasks were trained, by their names."""
    found = {task: TUNED | {"grid": {"lr": [0.1, 0.01]}, "choose": "validation"} for task in tasks}
    found |= {task: PROBED for task in tasks if task.endswith("probe") or task.endswith("probes")}
    found |= {task: TUNED | {"start": "scratch"} for task in tasks if task.endswith("scratch")}
    return found | {task: {"way": "published"} for task in tasks if task.startswith("imagenet")}


@functools.cache
def finished():
    """A study of three targets, each also as fixed features, from scratch and without augmentation; where it lies."""
    place = tempfile.TemporaryDirectory(prefix="transfer-")
    imagenet(place.name)
    imagenet(place.name, {model: accuracy + 12 for model, accuracy in IMAGENET.items()}, "imagenet_val", 239)
    for name, settings in TARGETS.items():
        Target(name, **settings).resampled(place.name)
        for variant, (level, gain) in VARIANTS.items():
            changed = {"level": settings["level"] + level, "gain": settings["gain"] * gain}
            Target(f"{name}_{variant}", view=name, **settings | changed).resampled(place.name)
    return place


def transfer(own_titles=TITLES, **changed):
    """What the tables and figures of that study are made of."""
    settings, root = SETTINGS | changed, Path(finished().name)
    names = [settings["reference"], settings["evaluated"], *settings["targets"]]
    names += [task for kind in ("probes", "scratch", "augmentation") for task in settings[kind].values()]
    scores = [root / f"results/scores/{name}.csv" for name in dict.fromkeys(names) if name]
    resampled = [root / f"results/resampled/{path.stem}.npz" for path in scores]
    titles = {path.stem: own_titles.get(path.stem, path.stem) for path in scores}
    return read_transfer(settings, scores, filter(Path.is_file, resampled), titles, SEED, hows(titles))


def bare(tmp_path, accuracies=IMAGENET, variants=(), **settings):
    """A study of one target, of whose test images nothing but their number is known; with tables of its variants."""
    table, _, _ = Target("plants", **settings).write(tmp_path)
    others = {kind: Target(f"plants_{kind}", view="plants", **settings).write(tmp_path)[0] for kind in variants}
    used = {"reference": "imagenet", "evaluated": None, "targets": ["plants"], "above": None, "after": None}
    used |= {"probes": {}, "scratch": {}, "augmentation": {}, "paper": {}, "resamples": 100}
    used |= {kind: {"plants": path.stem} for kind, path in others.items()}
    titles = {"imagenet": "ImageNet", "plants": "Plants"} | {path.stem: path.stem for path in others.values()}
    return read_transfer(used, [imagenet(tmp_path, accuracies), table, *others.values()], [], titles, 0, hows(titles))


def renamed(texts):
    """That study, its tasks and models under other names; the titles of its targets."""
    found = transfer(dict(zip(["imagenet", *TARGETS], texts, strict=False)))
    names = {model: f"{plain(texts[i % len(texts)])}{i}" for i, model in enumerate(IMAGENET)}
    after = names[found.settings["after"]]

    def same(scored):
        parts = {name: getattr(scored, name).rename(names) for name in ("values", "low", "high")}
        return replace(scored, **parts)

    others = {kind: {task: same(one) for task, one in own.items()} for kind, own in found.others.items()}
    found = replace(
        found,
        settings=found.settings | {"after": after},
        sources={task: accuracies.rename(names) for task, accuracies in found.sources.items()},
        targets={task: same(one) for task, one in found.targets.items()},
        others=others,
    )
    return found, list(texts[1 : 1 + len(TARGETS)]), names
