"""How outputs are marked for the report, and what is said of a target that a study lacks."""

from typing import ClassVar

import pytest
from snakemake.exceptions import WorkflowError

from engine.outputs import CAPTIONS, Outputs


class Items:
    """Two figures and a table, of which one figure cannot be made."""

    facts: ClassVar = {
        "fig_regret": {"item": "Figure 4", "shows": "regret"},
        "table_ranks": {"item": "Table 2", "shows": "ranks"},
        "explorer": {"item": "Explorer", "shows": "all runs"},
    }

    def made(self, kind):
        return [f"a{number}" for number in range(9)] + ["regret"] if kind == "fig_" else ["ranks"]

    def lacking(self, target):
        return target == "fig_lacks"

    def refusal(self, target):
        return f"{target}: there is no such task"


def about(marked, wildcards=None):
    told = marked.flags["report"]
    labels = told.labels(wildcards or {}) if callable(told.labels) else told.labels
    return str(marked), told.category, str(told.caption), labels


def test_outputs_are_marked_with_their_place_and_what_they_show():
    outputs = Outputs(Items())
    drawn = outputs.drawing("regret")
    assert drawn["caption"] == "results/figures/regret.rst"
    caption = str(CAPTIONS / "caption.rst")
    assert [about(drawn[kind]) for kind in ("pdf", "png", "csv")] == [
        (
            f"results/figures/regret.{kind}",
            category,
            caption,
            {"no.": "10", "item": "Figure 4", "shows": "regret", "format": shown},
        )
        for kind, category, shown in (
            ("pdf", "1 Figures", "vector (PDF)"),
            ("png", "1 Figures", "PNG"),
            ("csv", "4 Numbers of the figures", "CSV"),
        )
    ]
    table = outputs.table("other", "table_ranks", lambda wildcards: "ranks of {x}", "key")
    assert {key: str(value) for key, value in table.items()} == {
        key: f"results/tables/other.{suffix}" for key, suffix in (("csv", "csv"), ("md", "md"), ("caption", "rst"))
    }
    assert about(table["csv"]) == (
        *("results/tables/other.csv", "2 Tables", str(CAPTIONS / "key.rst")),
        {"no.": "2", "item": "Table 2", "shows": "ranks of {\u2060x}", "format": "CSV"},  # behind the one that is known
    )
    several = outputs.drawing("{one}", "fig_regret", lambda wildcards: "some")
    assert about(several["png"], {"one": "a3"})[3]["no."] == "04"


def test_outputs_of_both_kinds_and_a_page():
    outputs = Outputs(Items())
    outputs.items.facts = Items.facts | {
        "fig_both": Items.facts["fig_regret"],
        "table_both": Items.facts["table_ranks"],
    }
    made = outputs.both("x", "both")
    assert {key: str(value) for key, value in made.items()} == {
        **{f"table_{key}": f"results/tables/x.{key.replace('caption', 'rst')}" for key in ("csv", "md", "caption")},
        **{
            f"fig_{key}": f"results/figures/x.{key.replace('caption', 'rst')}"
            for key in ("pdf", "png", "csv", "caption")
        },
    }
    assert about(made["fig_png"])[2] == str(CAPTIONS / "fig_caption.rst")
    assert about(made["table_csv"])[2] == str(CAPTIONS / "table_caption.rst")
    assert about(outputs.page("results/explorer.html")) == (
        *("results/explorer.html", "3 Explorer", str(CAPTIONS / "explorer.rst")),
        {"item": "Explorer", "shows": "all runs", "format": "HTML"},
    )


def test_what_a_study_lacks_is_said_when_it_is_asked_for():
    outputs = Outputs(Items())
    assert outputs.needed("fig_regret", ["a"]) == ["a"]
    with pytest.raises(WorkflowError, match="fig_lacks: there is no such task"):
        outputs.needed("fig_lacks", ["a"])(None)
