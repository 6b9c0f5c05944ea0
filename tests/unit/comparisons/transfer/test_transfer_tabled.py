"""Every table of transfer, and the answer above it, as text: numbers, words and captions that somebody looked at."""

from golden import checked, frame_text, table_text
from transfer_studies import IMAGENET, Target, hows, imagenet, transfer

from apr.comparisons.transfer.gains import augmentation_ahead, average_of, gains_of
from apr.comparisons.transfer.models import models_table
from apr.comparisons.transfer.rankings import rankings_table
from apr.comparisons.transfer.scores import cells_of, cells_table, scores_table
from apr.comparisons.transfer.slopes import slopes_table
from apr.comparisons.transfer.targets import read_transfer
from apr.scores.table import read_scores, write_scores

PAPER = {"eurosat": {"all": "0.05", "above": "n.s."}, "lesions": {"all": "0.14"}}


def errors(folder):
    """Errors in percent of three seeds: one model diverged, one in a seed, and one has no ImageNet accuracy."""
    names = ["imagenet", *(f"plants{end}" for end in ("", "_probes", "_plain"))]
    paths = [imagenet(folder, dict(list(IMAGENET.items())[:9]))]
    for name in names[1:]:
        paths += Target(name, view="plants", metric="top1_error", seeds=(1, 2, 3)).write(folder)[:1]
    rows = read_scores(paths[1])
    for row in [*rows[3:6], rows[7]]:
        row |= {"status": "diverged", "value": None}
    write_scores(paths[1], rows)
    settings = {"reference": "imagenet", "evaluated": None, "targets": ["plants"], "above": 57.7, "after": None}
    settings |= {"probes": {"plants": "plants_probes"}, "scratch": {}, "augmentation": {"plants": "plants_plain"}}
    titles = {name: name.title() for name in names}
    return read_transfer(settings | {"paper": {}, "resamples": 60}, paths, [], titles, 0, hows(names))


def searched(folder):
    """Cells with two seeds: one more of a chosen cell, some dropped or lost, and not always the best chosen."""
    table, _, _ = Target("plants", cells=(0.1, 0.01, 0.001), seeds=(1, 2)).write(folder)
    rows = read_scores(table, all_cells=True)
    for model in range(0, 10, 3):
        for place in range(6 * model, 6 * model + 6):
            rows[place]["chosen"] = "yes" if place % 6 in (2, 3) else "no"
    rows.append(rows[2] | {"seed": 9, "value": rows[2]["value"] + 3})
    rows[6] |= {"status": "diverged", "value": None}
    for place in (22, 23):
        rows[place] |= {"status": "dropped", "value": None}
    write_scores(table, rows)
    return cells_of(table)


def test_tables_of_three_targets_with_all_that_is_known():
    found = transfer(evaluated="imagenet_val", paper=PAPER)
    checked("transfer/models", f"{models_table(found).lead}\n{table_text(models_table(found))}")
    checked("transfer/rankings", table_text(rankings_table(found)))
    checked("transfer/scores", table_text(scores_table(found)))
    checked("transfer/slopes", table_text(slopes_table(found, PAPER)))


def test_tables_of_one_target_of_errors(tmp_path):
    found = errors(tmp_path)
    checked("transfer/models_of_errors", f"{models_table(found).lead}\n{table_text(models_table(found))}")
    checked("transfer/rankings_of_errors", table_text(rankings_table(found)))
    checked("transfer/slopes_of_errors", table_text(slopes_table(found)))
    ahead = augmentation_ahead(found, "plants")
    checked("transfer/gains_of_errors", "\n".join([*frame_text(gains_of(found, "plants")), str(ahead)]) + "\n")


def test_gains_and_means():
    found = transfer()
    lines = [line for task in found.targets for line in frame_text(gains_of(found, task))]
    ahead = [augmentation_ahead(found, task) for task in found.targets]
    lines += [f"{one.target} {one.value:.4g} {one.low:.4g} {one.high:.4g}" for one in ahead]
    mean = average_of(found, found.targets)
    lines += [*frame_text(mean.points), f"r {mean.r:.4g} {mean.low:.4g} {mean.high:.4g} {mean.targets}"]
    checked("transfer/gains", "\n".join(lines) + "\n")


def test_cells_of_a_search(tmp_path):
    table = searched(tmp_path)
    grid = Target("woods", cells=(0.1, 0.01)).write(tmp_path)[0]
    tables = {"plants": table, "woods": cells_of(grid)}
    checked("transfer/cells", table_text(cells_table(tables, {"plants": "Plants", "woods": "Woods"})))
    checked("transfer/cells_of_one", table_text(cells_table({"woods": cells_of(grid)}, {"woods": "Woods"})))
