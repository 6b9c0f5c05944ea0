"""What a study asks of a cluster: how long a training takes, and how many of them make a job worth submitting.

Estimates: they decide how trainings are batched and what time limit a job has. One that is too short costs a second
attempt, which has more time and goes on from the checkpoint.
"""

import math

from study import Study, Task

SIDE = 224  # speeds are stated in pictures of 224 x 224 pixels
PIXELS = SIDE**2
SMALL = 5  # small pictures are trained at most so many times as fast: the launches of kernels bind, not their pixels
STARTUP = 0.5  # minutes until the first step
SLACK = 1.5  # a time limit over its estimate
IMAGES = 50_000  # where nothing tells how many there are
EVALUATED = 10  # a pretrained model is taken to be a tenth as fast as a trained one, since many are large


def training_images(study: Study, task: Task) -> int:
    """Training images of a task, from what is known before the data are there: `images` of its dataset, its view."""
    dataset, view = study.datasets[task.dataset], study.views[task.view]
    if view["per_class"] and task.classes:
        return view["per_class"] * task.classes
    share = task.classes / dataset["classes"] if task.classes and dataset["classes"] else 1
    return math.ceil((dataset["images"] or IMAGES) * share)


def training_minutes(study: Study, name: str, epochs: int | str | None = None) -> float:
    """Estimated minutes of a training of a task, up to an epoch or whole, or of an evaluation or probe, on one GPU."""
    task = study.tasks[name]
    if not task.fits:
        return STARTUP + EVALUATED * IMAGES / study.cluster["images_per_second"] / 60
    if "epochs" in task.protocol:
        before = study.tasks[task.continues].protocol["epochs"] if task.continues else 0
        shown = training_images(study, task) * (int(epochs or task.protocol["epochs"]) - before)
    else:  # a probe passes every image once
        shown = training_images(study, task)
    shown *= 1 if task.trains else EVALUATED
    speed = study.cluster["images_per_second"] * min(SMALL, PIXELS / (task.protocol["resolution"] or SIDE) ** 2)
    return STARTUP + shown / speed / 60


def batch_size(study: Study, name: str, epochs: int | str | None = None) -> int:
    """How many trainings of a task share a job, so that it lasts about `minutes_per_job`."""
    at_once, minutes = study.cluster["per_gpu"], study.cluster["minutes_per_job"]
    return max(1, int(at_once * minutes / training_minutes(study, name, epochs)))


def time_limit(study: Study, name: str, attempt: int, epochs: int | str | None = None) -> int:
    """Minutes that one training of a task may take, up to an epoch or whole."""
    return math.ceil(SLACK * training_minutes(study, name, epochs)) * attempt


def preparation_limit(study: Study, name: str, attempt: int) -> int:
    """Minutes that one step of a dataset's preparation may take: half an hour, and one more for each 100 GB."""
    size = sum(file["bytes"] or 0 for file in study.datasets[name]["files"])
    return (30 + math.ceil(60 * size / 1e11)) * attempt
