import pandas as pd
import pytest
from data_helpers import real

from apr.basics.problems import Problem
from apr.comparisons.families import LINE, SINCE, UNDATED, dated, read_families
from study import ROOT

TEXT = """
line: {source: a list, models: [old.tv_in1k]}
more_data: ig1b|in21k
families:
  - {name: Large, models: in21k, year: 2021, source: "arXiv:2104.00001"}
  - {name: Old, models: ^old, year: 2015, source: "arXiv:1512.03385"}
  - {name: New, models: ^new, year: 2020, source: a page}
"""


def written(tmp_path, text=TEXT):
    path = tmp_path / "families.yaml"
    path.write_text(text)
    return path


def test_families_and_groups_follow_from_the_names(tmp_path):
    models = ["old.tv_in1k@224", "old.tv_in1k@288", "old.ig1b_in1k@224", "new@224", "new.in21k@224", "other@224"]
    table = dated(models, read_families(written(tmp_path)))
    assert list(table.index) == models
    assert list(table["weights"])[:2] == ["old.tv_in1k"] * 2
    assert list(table["family"]) == ["Old", "Old", "Old", "New", "Large", ""]
    assert list(table["group"]) == [LINE, LINE, UNDATED, SINCE, SINCE, UNDATED]
    assert list(table["more_data"]) == [False, False, True, False, True, False]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("families:", "kinds:", "needs the keys line"),
        ("more_data: ig1b|in21k", "", "needs the keys line"),
        ("year: 2015", "year: 2016", "Old: year 2016 is not that of arXiv:1512.03385"),
        ("year: 2020", "year: now", "New: year 'now' is not a int"),
        ("source: a page", "sauce: a page", "has to have the keys name, models, year, source"),
        ("models: ^new", "models: (", "families: New: models '(' is no regular expression"),
        ("ig1b|in21k", "'['", "more_data '[' is no regular expression"),
        ("name: New", "name: Old", "family Old appears twice"),
        ("[old.tv_in1k]", "[a, b, a]", "model a appears twice"),
        ("[old.tv_in1k]", "[old.in21k]", "old.in21k: learned from more images"),
        ("line:", "line: [", "is not YAML"),
    ],
)
def test_bad_entries_are_named(tmp_path, old, new, expected):
    path = written(tmp_path, TEXT.replace(old, new))
    with pytest.raises(Problem) as problem:
        read_families(path)
    assert str(problem.value).startswith(f"{path}: ")
    assert expected in str(problem.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Problem, match="no such file"):
        read_families(tmp_path / "none.yaml")


def test_the_projects_families_fit_the_measured_models():
    families = read_families(ROOT / "resources/model_families.yaml")
    (path,) = real("timm-results/results-imagenet.csv")
    table = dated(pd.read_csv(path)["model"].unique(), families)
    assert families.line <= set(table.index)
    assert (table["group"] == LINE).sum() == 129
    assert not table.loc[table["group"] == LINE, "more_data"].any()
    assert set(table["family"]) - {""} == {family.name for family in families.families}
    expected = {
        "resnet50.tv_in1k": ("ResNet", LINE, False),
        "resnet50.a1_in1k": ("ResNet strikes back", SINCE, False),
        "resnet50.fb_swsl_ig1b_ft_in1k": ("Instagram (WSL, SWSL)", UNDATED, True),
        "resnext101_32x8d.tv_in1k": ("ResNeXt", LINE, False),
        "seresnext50_32x4d.gluon_in1k": ("SENet", LINE, False),
        "resnetrs50.tf_in1k": ("ResNet-RS", SINCE, False),
        "resnetv2_50x1_bit.goog_in21k_ft_in1k": ("BiT", UNDATED, True),
        "tf_efficientnet_b7.ns_jft_in1k": ("Noisy Student (JFT)", UNDATED, True),
        "tf_efficientnetv2_s.in1k": ("EfficientNet V2", SINCE, False),
        "vit_base_patch16_clip_224.openai_ft_in1k": ("CLIP and SigLIP", SINCE, True),
        "vit_base_patch16_224.augreg_in1k": ("ViT, ImageNet-1k", SINCE, False),
        "swin_s3_tiny_224.ms_in1k": ("Swin S3", SINCE, False),
        "beitv2_base_patch16_224.in1k_ft_in1k": ("BEiT v2", SINCE, False),
        "hiera_base_224.mae_in1k_ft_in1k": ("Hiera", SINCE, False),
        "convnext_base.clip_laion2b_augreg_ft_in1k": ("CLIP and SigLIP", SINCE, True),
        "hgnet_base.ssld_in1k": ("", UNDATED, True),
    }
    for model, facts in expected.items():
        assert tuple(table.loc[model, ["family", "group", "more_data"]]) == facts, model
