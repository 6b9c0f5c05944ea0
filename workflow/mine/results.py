"""What came of a study of a user's pictures: the answer, where the report is, and what to try next; five lines."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from apr.basics.files import read_json
from apr.basics.problems import Problem
from apr.comparisons.table import read_csv
from mine.looking import FILES, LOOKED, OWN

FEW_TESTS = 400  # below which an error rate is not known to 2.5 points
GUESSED = "a guess"


def result_lines(folder: Path) -> list[str]:
    """The answer, a line for each question, then the report and what to try next.

    Raises:
        Problem: the study has no answer yet.
    """
    answer = folder / "results/answer.txt"
    if not answer.exists():
        raise Problem(f"{answer}: is not there: the study is not finished; run it again")
    files = (folder / FILES).read_text(encoding="utf-8").strip()
    steps = next_steps(folder, read_json(folder / LOOKED))
    return [
        *answer_lines(answer.read_text(encoding="utf-8")),
        f"Report: {folder}/report.html (the study: {folder / OWN}; on a cluster: snakemake --configfile {files} "
        f"--directory {folder} --profile slurm)",
        f"Next: {'; '.join(steps)}.",
    ]


def answer_lines(text: str) -> list[str]:
    """Each question of an answer with its sentences, in one line."""
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        if paragraph.startswith("- ") and lines:
            sentences = (line.removeprefix("- ") for line in paragraph.split("\n"))
            lines[-1] = f"{lines[-1]} {' '.join(sentences)}"
        else:
            lines.append(" ".join(paragraph.split("\n")))
    return lines


def next_steps(folder: Path, looked: Mapping[str, Any]) -> list[str]:
    """What to try next, by what was seen in the pictures and in the scores.

    Args:
        folder: of the finished study.
        looked: what was remembered of the pictures.
    """
    own = (folder / OWN).read_text(encoding="utf-8")
    steps = list(_of_scores(folder, looked.get("task"), looked.get("epochs")))
    if looked.get("groups") and "by: group" not in re.sub(r"#.*", "", own):
        steps.append(f"{looked['groups']} under datasets, if what the names show belongs together")
    if looked.get("handed") and not re.search(r"flip: false", re.sub(r"#.*", "", own)):
        steps.append("flip: false, if left and right matter, as in signs and letters")
    return steps or ["more of the pictures, MINUTES=30, or other models in own.yaml"]


def _of_scores(folder: Path, task: str | None, epochs: int | None) -> Iterator[str]:
    tables, views = folder / "results/tables/correlations.csv", folder / "results/views"
    view = next((path for name in (f"{task}_some", task) if (path := views / f"{name}.json").exists()), None)
    if not tables.exists() or view is None:
        return
    table = read_csv(tables)
    rows = table[table["target"] == task].to_dict("records")
    if not rows:
        return
    weak = rows[0]["weak"]
    if isinstance(weak, str) and GUESSED in weak:
        yield f"more epochs, such as epochs: {3 * (epochs or 10)} of {task}, since the architectures still guess"
    tests = read_json(view)["n_test"]
    if tests < FEW_TESTS:
        yield f"more test pictures ({tests:,} now), or a second seed of {task}, since noise hides small differences"
