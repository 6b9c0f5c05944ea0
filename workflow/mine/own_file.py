"""The study file that `make mine` writes: short, to be read and gone on with by hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from apr.runs.metrics import ACCURACY, PLAIN
from mine.plans import MODELS, Plan
from mine.seen import Seen

BASE = "studies/mine.yaml"
SEED = 1


def own_text(folder: Path, title: str, place: Path, seen: Seen, plan: Plan) -> str:
    """The YAML of a study of these pictures, to be laid over studies/mine.yaml.

    Args:
        folder: of the study, named as its dataset and its task.
        title: for readers.
        place: the folder or archive.
        seen: what is in it.
        plan: what is asked of it.
    """
    name = folder.name
    view = f"{name}_some" if plan.cap or plan.classes else name
    probe, tuned = f"{name}_probe", f"{name}_tuned"
    target, more = (tuned, f", probes: {{{tuned}: {probe}}}") if plan.tuned else (probe, "")
    blocks = [_head(folder), f"title: {_quoted(f'What suits {title}?')}", *_dataset(name, title, place, seen)]
    if view != name:
        selection = {"dataset": name, "classes": plan.classes, "cap": plan.cap, "seed": SEED}
        kept = {key: value for key, value in selection.items() if value is not None}
        what = "# cap: images of a class in each part, at most"
        blocks += ["", "views:", *[f"  {what}"] * bool(plan.cap), f"  {view}: {_flow(kept)}"]
    turned = "they seem to, here" if seen.handed else "signs, letters"
    sides = ("resolution", "eval_resize") if plan.resolution else ()
    seen_at = dict.fromkeys(sides, plan.resolution)
    blocks += [
        "",
        "tasks:",
        "  # architectures, from scratch",
        f"  {name}:",
        f"    view: {view}",
        "    train: small",
        "    role: target",
        f"    metric: {PLAIN.name}",
        f"    epochs: {plan.epochs}",
        f"    batch: {plan.batch}",
        f"    flip: true  # false where left and right matter ({turned})",
        *_pretrained(probe, f"{title}, fixed features", view, "probe", seen_at, "pretrained models as they are"),
    ]
    if plan.tuned:
        choose = seen_at | plan.tuning | {"choose": {"by": "validation"}}
        blocks += _pretrained(
            tuned, f"{title}, fine-tuned", view, "finetune", choose, "and with all of their layers trained"
        )
    blocks += ["", "comparisons:", f"  transfer: {{targets: [{target}]{more}}}"]
    return "\n".join(blocks) + "\n"


def _head(folder: Path) -> str:
    return f"""\
# Written by `make mine`, to be laid over {BASE}. Change it as you like: a file that you changed is kept, and
# `make mine NAME={folder.name}` goes on with it (a file that you delete is written anew). On a cluster:
#   snakemake --configfile {BASE} {folder}/own.yaml --directory {folder} --profile slurm
# Every key is described in workflow/schemas/config.schema.yaml."""


def _dataset(name: str, title: str, place: Path, seen: Seen) -> list[str]:
    lines = ["", "datasets:", f"  {name}:", f"    title: {_quoted(title)}"]
    if place.is_dir():
        lines.append(f"    folder: {_quoted(str(place))}")
    else:
        file = {"url": f"file:{quote(str(place))}", "name": f"{name}{suffix_of(place)}"}
        lines.append(f"    files: [{_flow(file)}]")
    lines.append(f"    format: {seen.format}")
    if seen.options:
        lines.append(f"    options: {_flow(seen.options)}")
    lines.append(f"    classes: {len(seen.classes)}")
    lines.append(f"    images: {seen.parts.get('train', seen.count)}")
    if seen.split:
        lines.append(f"    split: {_flow(seen.split)}")
    if seen.groups and not seen.parts:
        lines.append(f"    # to keep together what belongs together, add: {seen.groups}")
    return lines


def suffix_of(place: Path) -> str:
    """The suffix of an archive: .zip, .tar.gz."""
    ends = place.suffixes[-2:]
    return "".join(ends if ends[:1] == [".tar"] else ends[-1:]).lower()


def _pretrained(name: str, title: str, view: str, way: str, settings: Mapping[str, Any], words: str) -> list[str]:
    return [
        f"  # {words}",
        f"  {name}:",
        f"    title: {_quoted(title)}",
        f"    view: {view}",
        f"    {way}: {'tune' if way == 'finetune' else way}",
        f"    metric: {ACCURACY.name}",
        *(f"    {key}: {_flow(value)}" for key, value in settings.items()),
        f"    models: [{', '.join(map(_quoted, MODELS))}]",
    ]


def _flow(value: Any) -> str:
    """A value as YAML takes it in one line; JSON, but for quotes around keys."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(one)}' for key, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return _quoted(value)


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
