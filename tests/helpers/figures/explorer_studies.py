"""A study on disk as the explorer reads it: architectures with seeds, a grid of fine-tunings, published scores."""

import csv
import json

import numpy as np

from apr.basics.files import digest_of
from apr.models.population import Space, sample_population
from apr.runs.metrics import METRICS, part_of
from apr.scores.table import score_row, value_row, write_scores

HOSTILE = '</script><b>bold</b><script>window.ran = 1</script> $$x$$ "quoted", &amp; {0}'
MODELS, IMAGES, EPOCHS = 24, 1000, 60
SPACE = Space((1, 6), (16, 256), (1, 2, 4), (1, 2, 8))
TUNED = ["timm:tuned_a", "timm:tuned_b", "timm:tuned_c"]
LRS = (0.1, 0.01)
DIVERGED = "a003"


def population(folder):
    """The architectures, also written to results/population.csv."""
    settings = {"band": (1e6, 400e6), "stem": "simple_stem_in", "classes": 10, "resolution": 64}
    drawn = sample_population(SPACE, size=MODELS, seed=1, **settings)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "population.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, drawn[0].keys())
        writer.writeheader()
        writer.writerows(drawn)
    return drawn


def write_run(folder, task, name, model, seed, status, corrects, **more):
    """The JSON of a run that was right so often after each epoch; returns its parts at the end."""
    parts = [{"test": part_of(IMAGES, {"correct_top1": int(correct)})} for correct in corrects]
    history = [{"epoch": epoch, "parts": part} for epoch, part in enumerate(parts, start=1)]
    end = parts[-1] if status == "completed" else {"test": part_of(IMAGES)}
    run = {"schema": 2, "task": task, "model": model, "seed": seed, "protocol": {}, "fingerprint": digest_of({})}
    run |= {"outcome": {"status": status, "parts": end}, "history": history} | more
    path = folder / f"runs/{task}/{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run))
    return end


def rising(correct):
    return correct * (1 - np.exp(-np.arange(1, EPOCHS + 1) / 10))


def study(root):
    """Write the study below a folder; returns what `read_contents` takes."""
    folder = root / "results"
    drawn, generator = population(folder), np.random.default_rng(0)
    strength = generator.normal(size=MODELS)
    plan = {
        "photos": {"title": f"Photos {HOSTILE}", "way": "train", "metric": "top1_error", "runs": {}},
        "digits": {"title": "Digits", "way": "train", "metric": "top1_accuracy", "runs": {}},
        "leaves": {"title": "Leaves", "way": "finetune", "metric": "top1_accuracy", "runs": {}},
        "imagenet": {"title": "ImageNet", "way": "published", "metric": "top1_accuracy", "runs": {}},
    }
    rows = {task: [] for task in plan}
    for task, seeds in (("photos", (1, 2)), ("digits", (1,))):
        for model, strong in zip(drawn, strength + 0.5 * generator.normal(size=MODELS), strict=True):
            for seed in seeds:
                name, correct = model["id"], np.clip(500 + 150 * strong + 9 * seed, 50, 990)
                lost = (task, name) == ("digits", DIVERGED)
                status = "diverged" if lost else "completed"
                curve = rising(correct)[: 30 if lost else EPOCHS]
                run = f"{name}-seed{seed}" if len(seeds) > 1 else name
                parts = write_run(folder, task, run, name, seed, status, curve)
                rows[task].append(score_row(name, parts, METRICS[plan[task]["metric"]], status=status, seed=seed))
                known = {"model": name, "genotype": model["genotype"], "seed": seed, "cell": {}}
                plan[task]["runs"][run] = known
    for number, model in enumerate(TUNED):
        for lr in LRS:
            run, cost = f"tuned{number}-lr{lr}", {"parameters": 1_500_000 * (number + 1), "multiply_adds": 1}
            parts = write_run(folder, "leaves", run, model, 7, "completed", [500, 600 + 50 * number + lr], cost=cost)
            row = score_row(model, parts, METRICS["top1_accuracy"], seed=7, cell={"lr": lr})
            rows["leaves"].append(row | {"chosen": "yes" if lr == LRS[1] else "no"})
            plan["leaves"]["runs"][run] = {"model": model, "genotype": None, "seed": 7, "cell": {"lr": lr}}
    for number, model in enumerate([*TUNED, HOSTILE]):
        row = value_row(model, 70.0 + number, METRICS["top1_accuracy"], images=50_000, family=f"family {number // 2}")
        rows["imagenet"].append(row)
    for task, own in rows.items():
        (folder / "scores").mkdir(exist_ok=True)
        write_scores(folder / f"scores/{task}.csv", own)
    scores = [folder / f"scores/{task}.csv" for task in plan]
    axes = [["photos", "digits"], ["depth", "photos"]]
    known = {"title": f"A study {HOSTILE}", "plan": plan, "axes": axes, "scores": scores}
    return known | {"population": folder / "population.csv", "root": root}
