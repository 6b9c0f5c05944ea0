"""Whether the words of legends and captions go with the colours and markers of the right points."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from apr.figures.lines.retest import draw_retest
from apr.figures.ranks.best_shapes import PARAMETERS, STAGES, draw_best_shapes
from apr.figures.ranks.pretrained import draw_pretrained
from apr.figures.ranks.regret import draw_selection_regret
from apr.figures.ranks.relative import draw_relative_error
from apr.figures.ranks.scatter import draw_scatter
from apr.figures.ranks.size import draw_rho_vs_population
from apr.figures.runs.balanced import draw_balanced
from apr.figures.runs.curves import draw_training_curves
from apr.figures.runs.densities import draw_seed_densities

BOOTSTRAP = {"resamples": 50, "seed": 0}
TITLES = {"photos": "Photos", "few": "Few", "digits": "Digits", "pre": "Digits, pretrained"}
N = 40
ORANGE, RED, BLUE, GREEN, GREY, INK, PURPLE = (
    "#e69f00",
    "#b2182b",
    "#0072b2",
    "#009e73",
    "#7f8c98",
    "#222222",
    "#cc79a7",
)


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    z = rng.normal(size=N)
    errors = {"photos": 40 + 5 * z, "few": 20 + 2 * z + rng.normal(size=N), "digits": 30 + 2 * z + rng.normal(size=N)}
    errors["pre"] = errors["digits"] - 7
    return pd.DataFrame(errors, [f"a{i:03}" for i in range(N)])


def color(artist):
    get = getattr(artist, "get_facecolor", None) or artist.get_color
    value = get()
    return to_hex(value[0] if np.ndim(value) == 2 else value)


def legend(figure):
    """The words of a legend -> the colour beside them."""
    (one,) = figure.legends
    return {text.get_text(): color(handle) for text, handle in zip(one.get_texts(), one.legend_handles, strict=True)}


def of_color(artists, wanted):
    (found,) = [artist for artist in artists if color(artist) == wanted]
    return found


def marker(collection):
    return len(collection.get_paths()[0].vertices)


def test_scatter(scores):
    drawn = draw_scatter(scores, [("photos", "digits")], TITLES, 5, **BOOTSTRAP)
    (ax,) = drawn.figure.axes
    words = legend(drawn.figure)
    assert words == {"5 best on Digits": ORANGE, "5 worst on Digits": RED, "other models": GREY}
    ranked = scores["digits"].sort_values()
    best, worst = (of_color(ax.collections, words[f"5 {end} on Digits"]) for end in ("best", "worst"))
    assert sorted(best.get_offsets()[:, 1]) == pytest.approx(ranked[:5])
    assert sorted(worst.get_offsets()[:, 1]) == pytest.approx(ranked[-5:])
    assert len({marker(one) for one in ax.collections}) == 3
    assert "Orange triangles: the 5 best on Digits; red squares: the 5 worst." in drawn.caption
    assert f"All {N} models" in drawn.caption
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Photos error (%)", "Digits error (%)")


def test_scatter_names_no_group_that_ties_leave_without_a_point():
    tied = pd.DataFrame({"photos": np.arange(12.0), "digits": [1.0, 2, 3, *[4.0] * 9]})
    drawn = draw_scatter(tied, [("photos", "digits")], TITLES, 3, **BOOTSTRAP)
    assert legend(drawn.figure) == {"3 best on Digits": ORANGE, "other models": GREY}
    assert "Models that tie across the limit are not marked." in drawn.caption


def test_pretrained(scores):
    drawn = draw_pretrained(scores, "photos", [("digits", "pre")], TITLES, **BOOTSTRAP)
    words = legend(drawn.figure)
    assert words == {"from scratch": BLUE, "pretrained": GREEN}
    for word, task in (("from scratch", "digits"), ("pretrained", "pre")):
        points = of_color(drawn.figure.axes[0].collections, words[word]).get_offsets()
        assert points[:, 1].tolist() == pytest.approx(scores[task].tolist())
    assert "mean gain 7.00 error points, 40 of 40 models gained" in drawn.caption
    assert "from scratch (blue circles)" in drawn.caption


def test_regret(scores):
    drawn = draw_selection_regret(scores, "photos", ["digits"], {"digits": "few"}, TITLES, **BOOTSTRAP)
    words = legend(drawn.figure)
    assert words["k best on Photos"] == BLUE
    assert words["k best on the closest family member"] == ORANGE
    for word, source in (("k best on Photos", "photos"), ("k best on the closest family member", "few")):
        line = of_color(drawn.figure.axes[0].lines, words[word])
        first = scores.loc[scores[source].idxmin(), "digits"] - scores["digits"].min()
        assert line.get_ydata()[0] == pytest.approx(first)
    assert "Blue: the k best on Photos; orange: on the member" in drawn.caption


def test_relative(scores):
    drawn = draw_relative_error(scores, "photos", ["photos", "digits"], TITLES, **BOOTSTRAP)
    words = legend(drawn.figure)
    for word, wanted in words.items():
        task = {"Photos": "photos", "Digits": "digits"}[word.split(",")[0]]
        points = of_color([c for c in drawn.figure.axes[0].collections if c.get_gid()], wanted).get_offsets()
        assert points[:, 1].tolist() == pytest.approx((scores[task] / scores[task].mean()).tolist())


def test_balanced(scores):
    counts = {"digits": {"cat": 30, "dog": 5}, "pre": {"cat": 7, "dog": 5}}
    drawn = draw_balanced(counts, scores, [("digits", "pre")], TITLES, **BOOTSTRAP)
    (one,) = drawn.figure.legends
    colors = [to_hex(handle.patches[0].get_facecolor()) for handle in drawn.figure.axes[0].containers]
    assert [text.get_text() for text in one.get_texts()] == ["unbalanced", "balanced", "equal errors"]
    shown = [color(handle) for handle in one.legend_handles[:2]]
    assert shown == colors == ["#dde2e6", BLUE]
    widths = [[patch.get_width() for patch in bars.patches] for bars in drawn.figure.axes[0].containers]
    assert widths == [[30, 5], [7, 5]]
    assert "light bars) and in its balanced version (dark" in drawn.caption


def test_population_size(scores):
    drawn = draw_rho_vs_population(scores, [("photos", "digits")], TITLES, [5, 10, 20, 40], **BOOTSTRAP)
    words = legend(drawn.figure)
    assert words["median, middle 95 % of draws"] == BLUE
    assert words["whole population"] == INK
    data = drawn.data
    lines = {line.get_gid(): line for line in drawn.figure.axes[0].lines}
    assert color(lines["median"]) == BLUE
    assert lines["median"].get_ydata() == pytest.approx(data["median"])
    for word, gid, column, wanted in (
        ("right sign from here", "sign", "sign_from", ORANGE),
        ("interval ±0.1 from here", "precise", "precise_from", PURPLE),
    ):
        if gid in lines:
            assert words[word] == color(lines[gid]) == wanted
            assert lines[gid].get_xdata() == data.loc[data[column], "n"].tolist()


def test_best_shapes(scores):
    rng = np.random.default_rng(1)
    genes = pd.DataFrame({f"{p}{s}": 2.0 ** rng.integers(0, 3, N) for p in PARAMETERS for s in STAGES}, scores.index)
    drawn = draw_best_shapes(scores, genes, ["digits"], 5, TITLES)
    (one,) = drawn.figure.legends
    assert [text.get_text() for text in one.get_texts()] == [
        "best model",
        "mean ± SD of the 5 best",
        "mean of all models",
    ]
    ax = drawn.figure.axes[0]
    best = of_color(ax.lines, ORANGE)
    depths = genes[[f"d{stage}" for stage in STAGES]]
    assert best.get_ydata() == pytest.approx(depths.loc[scores["digits"].idxmin()])
    assert color(one.legend_handles[0]) == ORANGE
    top = scores["digits"].nsmallest(5).index
    assert of_color(ax.lines, BLUE).get_ydata() == pytest.approx(depths.loc[top].mean())


def test_densities():
    rng = np.random.default_rng(2)
    repeats = pd.concat(
        [
            pd.DataFrame({"model": m, "seed": range(9), "value": rng.normal(e, 1, 9)})
            for m, e in (("a1", 10), ("a2", 20))
        ]
    )
    drawn = draw_seed_densities(repeats, pd.Series(rng.normal(15, 3, 30)), TITLES, "digits")
    for words, wanted in legend(drawn.figure).items():
        name = words.split(":")[0]
        line = of_color([line for line in drawn.figure.axes[0].lines if line.get_gid() == name], wanted)
        middle = line.get_xdata()[np.argmax(line.get_ydata())]
        assert abs(middle - float(words.split(": ")[1].split()[0])) < 1.5


def test_training_curves():
    rows = [
        {"task": "digits", "model": f"a{m:03}", "epoch": e, "value": m + 20 / e} for m in range(12) for e in range(1, 9)
    ]
    empty = pd.DataFrame(columns=["task", "rank", "model", "epoch", "value", "resumed_after"])
    drawn = draw_training_curves(pd.DataFrame(rows), empty, 4, TITLES)
    words = legend(drawn.figure)
    ends = {"best": [0, 1, 2], "worst": [9, 10, 11]}
    for end, expected in ends.items():
        (word,) = [word for word in words if end in word]
        assert words[word] == {"best": ORANGE, "worst": RED}[end]
        lines = [line for line in drawn.figure.axes[0].lines if color(line) == words[word]]
        assert sorted(line.get_ydata()[-1] - 2.5 for line in lines) == pytest.approx(expected)


def test_retest():
    models = [f"m{i}" for i in range(6)]
    accuracies = pd.DataFrame({"orig_acc": [90.0, 85, 80, 75, 70, 65], "new_acc": [80.0, 74, 68, 62, 56, 20]}, models)
    for side in ("orig", "new"):
        accuracies[f"{side}_n"] = 1000.0
        accuracies[f"{side}_correct"] = accuracies[f"{side}_acc"] * 10
    retest = {"name": "new", "title": "New", "original": "a", "new": "b", "metric": "top1_accuracy"}
    drawn = draw_retest(
        accuracies, retest | {"without": ["m5"], "probit_without": []}, {"a": "A", "b": "B"}, **BOOTSTRAP
    )
    words = legend(drawn.figure)
    points = [c for c in drawn.figure.axes[0].collections if isinstance(c, PathCollection)]
    inside = of_color([c for c in points if len(c.get_offsets()) == 5], words["model"]).get_offsets()
    assert sorted(inside[:, 1]) == [56, 62, 68, 74, 80]
    outside = of_color([c for c in points if len(c.get_offsets()) == 1], words["model not in the line"])
    assert outside.get_offsets().tolist() == [[65, 20]]
    assert words["least squares, 95 % band"] == RED
    assert "slope 1.2" in drawn.caption.replace("= ", "")
