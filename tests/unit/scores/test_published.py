import gzip
import hashlib

import pytest
import yaml

from apr.basics.problems import Problem
from apr.runs.metrics import METRICS
from apr.scores.published import published_rows, read_published, same_scores
from apr.scores.table import read_scores, write_scores
from study import ROOT
from study.settings import sets_of

ACCURACY = METRICS["top1_accuracy"]
WIDE = "name,data,a,b\nr,x,0.5,0.25\nr,y,0.75,0.125\nv,x,1,0\n"
LONG = "model,dataset,acc\nr,pets,50\nr,cars,60\nv,pets,70\n"
REGISTRY = yaml.safe_load((ROOT / "resources/published.yaml").read_text())
KEPT = {name: source for name, source in REGISTRY.items() if "folder" in source}


@pytest.fixture
def read(tmp_path):
    def rows(text, metric=ACCURACY, **settings):
        path = tmp_path / "table.csv"
        path.write_text(text)
        return published_rows("table.csv", read_published(path), settings, metric)

    return rows


def values(rows):
    return {row["model"]: row["value"] for row in rows}


def test_a_wide_table_of_fractions(read):
    rows = read(WIDE, model=["name", "data"], column="a", unit="fraction", images=200)
    assert values(rows) == {"r x": 50.0, "r y": 75.0, "v x": 100.0}
    assert {row["n"] for row in rows} == {200}


def test_a_long_table_of_percentages(read):
    assert values(read(LONG, model=["model"], column="acc", where={"dataset": "pets"})) == {"r": 50.0, "v": 70.0}


def test_the_rows_make_a_score_table(read, tmp_path):
    rows = read(WIDE, model=["name", "data"], column="a", unit="fraction", family={"column": "data"})
    write_scores(tmp_path / "scores.csv", rows)
    again = read_scores(tmp_path / "scores.csv")
    assert [(row["model"], row["value"], row["family"], row["metric"]) for row in again] == [
        ("r x", 50.0, "x", "top1_accuracy"),
        ("r y", 75.0, "y", "top1_accuracy"),
        ("v x", 100.0, "x", "top1_accuracy"),
    ]


def test_a_pattern_finds_the_family(read):
    text = "m,d,a\nr,laion2b_s1,1\nv,laion2b_e2,2\nw,,3\n"
    rows = read(text, model=["m"], column="a", family={"column": "d", "pattern": "^[a-z]+"})
    assert [row["family"] for row in rows] == ["laion", "laion", None]


def test_a_negated_loss_is_a_loss(read):
    assert values(read("m,l\nr,-0.5\n", METRICS["loss"], model=["m"], column="l", negated=True)) == {"r": 0.5}


def test_a_metric_without_unit_is_left_as_it_is(read):
    assert values(read("m,s\nr,0.5\n", METRICS["ssim"], model=["m"], column="s", unit="fraction")) == {"r": 0.5}


def test_empty_cells_and_models_left_out_have_no_row(read):
    text = "m,a\nr,1.5\nv,\nw,0.001\n"
    assert values(read(text, model=["m"], column="a", without={"w": "failed"})) == {"r": 1.5}


def test_a_row_that_is_there_twice_counts_once(read, caplog):
    assert values(read("m,a\nr,1.5\nr,1.5\nv,2\n", model=["m"], column="a")) == {"r": 1.5, "v": 2.0}
    assert "rows of a that repeat others count once: 1" in caplog.text


def test_models_of_one_structure_are_repeats(read):
    text = 'm,a\n"(0, 1, 1, 1, 1, 1)",10\n"(1, 1, 1, 1, 1, 1)",11\n"(2, 1, 1, 1, 1, 1)",12\n'
    rows = read(text, model=["m"], column="a", names="naslib_indices", repeats="cell_structure")
    assert [(row["model"], row["seed"]) for row in rows] == [("#+#+#", 0), ("#+#+#", 1), ("#+#+#", 2)]


def test_other_names_are_made_one(read):
    assert list(values(read("m,a\nGoogleNet,2\n", model=["m"], column="a", renamed={"GoogleNet": "googlenet"}))) == [
        "googlenet"
    ]


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        ("m,b\nr,1\n", {}, "lacks the column 'a'"),
        ("m,a\nr,1.5\nr,1.25\n", {}, "model r stands there twice with different scores of a: 1.5 in row 2 and 1.25"),
        ("m,a\nr,75\n", {"unit": "fraction"}, "row 2 (model r): a '75' is not a fraction of top-1 accuracy; write"),
        ("m,a\nr,0.75\nv,0.5\n", {}, "as if the percentages were fractions; write unit: fraction"),
        ("m,a\nr,175\n", {}, "'175' is not a percent of top-1 accuracy"),
        ("m,a\nr,n/a\n", {}, "'n/a' is not a number"),
        ("m,a\nr,inf\n", {}, "'inf' is not a number"),
        ("m,a\nr,\n", {}, "column 'a' holds no score"),
        ("m,a\n,5\n", {}, "row 2: names no model"),
        ("m,a\nr,5\n", {"without": {"x": "why"}}, "leaves out 'x', which is not there"),
        ("m,a\nr,5\n", {"where": {"m": "x"}}, "no row has m 'x'"),
        ("m,a\nr,5\n", {"names": "naslib_indices"}, "'r' is not six numbers"),
        ("m,a,a\nr,5,6\n", {}, "two columns 'a'"),
        ("m,a\n", {}, "has no row of scores"),
        ("", {}, "has no row of scores"),
        ("m,a,b\nr,5,6,\n", {}, "row 2 has 4 cells, the first row names 3 columns"),
        ("m;a\nr;5,5\n", {}, "is separated by ';'; save it separated by commas, with points"),
        ('m,a\nr,"5,5"\n', {}, "'5,5' is not a number (write it with a point, without comma or %)"),
        ('m,a\nr,"5\n', {}, "is not a table (unexpected end of data)"),
        ("m,a\nr,5\n", {"family": {"column": "f"}}, "lacks the column 'f'"),
        ("m,a\nr,5\n", {"family": {"column": "m", "pattern": "x"}}, "pattern of family finds nothing in column 'm'"),
        ("m,a\nr,5\n", {"renamed": {"s": "t"}}, "the entry renames 's', which is not there"),
        ("m,d,a\nr,ours,5\n", {"where": {"d": "our"}}, "no row has d 'our' (did you mean ours?)"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(read, text, settings, said):
    with pytest.raises(Problem) as caught:
        read(text, **({"model": ["m"], "column": "a"} | settings))
    assert said in str(caught.value)


def test_a_table_of_another_digest_is_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(LONG)
    with pytest.raises(Problem, match="is not the table of its entry"):
        read_published(path, hashlib.sha256(b"other").hexdigest())
    assert len(read_published(path, hashlib.sha256(LONG.encode()).hexdigest())) == 3


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    (tmp_path / "excel.csv").write_text(LONG, encoding="utf-8-sig")
    assert list(read_published(tmp_path / "excel.csv")) == ["model", "dataset", "acc"]


def test_a_missing_table_and_a_broken_archive(tmp_path):
    with pytest.raises(Problem, match="no such file"):
        read_published(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("modèle,a\nr,5\n".encode("latin-1"))
    with pytest.raises(Problem, match="save it as CSV in UTF-8"):
        read_published(tmp_path / "latin.csv")
    (tmp_path / "torn.csv.gz").write_bytes(gzip.compress(LONG.encode())[:-9])
    with pytest.raises(Problem, match="is not a table"):
        read_published(tmp_path / "torn.csv.gz")


def test_models_with_the_same_scores_throughout():
    def rows(**scores):
        return [{"model": model, "value": value} for model, value in scores.items()]

    assert same_scores({"one": rows(a=1, b=1, c=1), "two": rows(a=2, b=2, c=3)}) == [("a", "b")]


# --- the registry ---


@pytest.mark.parametrize("name", KEPT)
def test_each_kept_table_is_read_whole(name):
    source = KEPT[name]
    (file,) = source["files"]
    path = ROOT / source["folder"] / file["name"]
    assert path.stat().st_size == file["bytes"] < 1_000_000
    table = read_published(path, file["sha256"])
    used = set(source["table"].get("left_out", {})) | set(source["table"]["model"])
    used |= {source["table"].get("family", {}).get("column")}
    for task, settings in sets_of(source).items():
        rows = published_rows(path, table, settings, METRICS[settings["metric"]])
        assert len({(row["model"], row["seed"]) for row in rows}) == len(rows) > 0, task
        used |= {settings["column"], *settings.get("where", {})}
    assert set(table.columns) <= used, "columns that are neither a set nor left out"


@pytest.mark.parametrize("name", REGISTRY)
def test_each_entry_says_where_it_is_from_and_under_which_terms(name):
    source = REGISTRY[name]
    assert source["title"]
    assert source["licence"]
    assert source["home"].startswith("https://")
    assert source["metrics_from"]
    assert "folder" not in source or source["origin"]


def column(source, task):
    settings = sets_of(REGISTRY[source])[task]
    path = ROOT / REGISTRY[source]["folder"] / REGISTRY[source]["files"][0]["name"]
    return values(published_rows(path, read_published(path), settings, METRICS[settings["metric"]]))


def rho(one, other):
    from scipy.stats import spearmanr

    both = sorted(one.keys() & other.keys())
    return spearmanr([one[model] for model in both], [other[model] for model in both]).statistic


@pytest.mark.parametrize(
    ("target", "over_all", "above_70"),
    [
        ("imagenetv2", 1.00, None),
        ("iwildcam", 0.98, 0.92),
        ("gtsrb", 0.95, None),
        ("eurosat", 0.84, 0.43),
        ("fmow", 0.76, 0.51),
        ("camelyon17", 0.23, 0.26),
        ("patchcamelyon", 0.11, None),
        ("kitti_distance", -0.32, None),
    ],
)
def test_imagenet_and_the_other_columns_of_open_clip(target, over_all, above_70):
    imagenet, other = column("open_clip", "openclip_imagenet"), column("open_clip", f"openclip_{target}")
    assert len(imagenet) == 121
    assert rho(imagenet, other) == pytest.approx(over_all, abs=0.005)
    best = {model: value for model, value in imagenet.items() if value >= 70}
    assert len(best) == 64
    assert above_70 is None or rho(best, other) == pytest.approx(above_70, abs=0.005)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("micro", {"scene": 0.76, "jigsaw": 0.81, "room": 0.82, "normal": 0.73, "segment": 0.64, "auto": 0.42}),
        ("macro", {"scene": 0.82, "jigsaw": 0.65, "room": 0.56, "normal": 0.72, "segment": 0.65, "auto": 0.72}),
    ],
)
def test_objects_and_the_other_tasks_of_transnas(kind, found):
    names = {"scene": "class_scene", "jigsaw": "jigsaw", "room": "room_layout", "normal": "normal"}
    names |= {"segment": "segmentsemantic", "auto": "autoencoder"}
    objects = column(f"transnas_{kind}", f"transnas_{kind}_class_object")
    for short, wanted in found.items():
        sign = -1 if short == "room" else 1  # of a loss the least is best
        other = column(f"transnas_{kind}", f"transnas_{kind}_{names[short]}")
        assert sign * rho(objects, other) == pytest.approx(wanted, abs=0.005), short


def test_one_spelling_joins_12_and_200_epochs():
    short, long = column("nasbench201_12", "nb201_12_cifar10"), column("nasbench201_200", "nb201_cifar10")
    assert short.keys() == long.keys()
    assert len(short) == 15625
    assert max(short.values()) == pytest.approx(89.16)


def test_evaluating_again_changes_little():
    again, before = column("clip_benchmark", "clip_benchmark_imagenet"), column("open_clip", "openclip_imagenet")
    both = again.keys() & before.keys()
    assert len(both) == 13
    differences = sorted(abs(again[model] - before[model]) for model in both)
    assert differences[6] == pytest.approx(0.036, abs=0.001)


def test_the_tables_that_are_not_kept(shared):
    folder = shared.parent / "published"
    found = {}
    for name in ("nats_bench_200", "finetuned_sfda", "finetuned_tll"):
        (file,) = REGISTRY[name]["files"]
        table = read_published(folder / file["name"], file["sha256"])
        for task, settings in sets_of(REGISTRY[name]).items():
            found[task] = values(published_rows(file["name"], table, settings, ACCURACY))
    for task, most in (("cifar10", 94.37), ("cifar100", 73.51), ("imagenet16", 47.31)):
        assert max(found[f"nats_{task}"].values()) == pytest.approx(most, abs=0.005)
    assert rho(found["nats_imagenet16"], found["nats_cifar10"]) == pytest.approx(0.959, abs=0.0005)
    assert rho(found["nats_imagenet16"], found["nats_cifar100"]) == pytest.approx(0.964, abs=0.0005)
    for task, wanted in (("cifar10", 0.871), ("cifar100", 0.824), ("imagenet16", 0.809)):
        short = column("nasbench201_12", f"nb201_12_{task}")
        assert rho(short, found[f"nats_{task}"]) == pytest.approx(wanted, abs=0.0005)
    laboratories = {"caltech101": 0.94, "cifar10": 0.82, "cifar100": 0.82, "pets": 0.73}
    laboratories |= {"sun397": 0.61, "dtd": 0.58, "cars": 0.48, "aircraft": 0.45}
    for task, wanted in laboratories.items():
        assert rho(found[f"sfda_{task}"], found[f"tll_{task}"]) == pytest.approx(wanted, abs=0.005), task
