"""Rules and their scripts agree on the names of what is handed over, and what is no reason to run again stays none."""

import ast
import re

import pytest
from golden import checked

from study import ROOT

RULE = re.compile(r"^(?:rule (\w+)|use rule (\w+) as (\w+) with):\n((?:(?: {4}.*)?\n)+)", re.M)
# what no script reads: inputs to wait for, and parameters that make a job run again
UNREAD = {
    "fig_training_curves": {"all_there"},
    "collect_scores": {"all_there", "sources"},
    "rank_runs": {"all_there", "revision", "sources"},
    "halve_cells": {"revision"},
    "choose_cell": {"revision"},
    "pack_dataset": {"revision"},
    "select_view": {"revision"},
    "write_config": {"digest", "written"},
    "download_file": {"revision"},
    "verify_source": {"files", "configured"},
    "unpack_source": {"files", "configured", "revision"},
    "table_audit": {"scores"},
    "fig_design_space": {"manifests"},
    "import_measured": {"verified"},
    "import_tables": {"verified"},
}
# parameters that are no reason to run again, since they take `output`
NO_REASON = {
    "download_file": {"url", "login", "mirror", "root"},
    "verify_source": {"folder", "logins", "mirror", "root"},
    "unpack_source": {"folder"},
    "pack_dataset": {"about"},
    "select_view": {"metrics"},
    "write_config": {"effective", "given"},
}


def section(body, name):
    """{key: text} of what stands under `input:` or `params:`."""
    found = re.search(rf"^    {name}:\n((?: {{8}}.*\n| *\n)+)", body, re.M)
    return dict(re.findall(r"^ {8}(\w+)=((?:.*\n)(?: {9,}.*\n| {8}[)}\]].*\n)*)", found[1] if found else "", re.M))


def rules():
    """{rule: (inputs, parameters, script)} and {rule: what it is made from}: it has what that has, and its own."""
    made = {}
    for path in sorted((ROOT / "rules").rglob("*.smk")):
        for plain, base, other, body in RULE.findall(path.read_text()):
            inputs, params = section(body, "input"), section(body, "params")
            script = re.search(r'script:\n +"(?:\.\./)+(.*)"', body)
            made[plain or other] = base, inputs, params, script and script[1]
    for name, (base, inputs, params, script) in made.items():
        if base:
            _, more, other, same = made[base]
            made[name] = base, inputs or more, other | params, script or same
    return {name: about[1:] for name, about in made.items()}, {
        name: about[0] for name, about in made.items() if about[0]
    }


def taken(script, what):
    """The names of inputs or parameters that a script reads."""
    tree = ast.parse((ROOT / script).read_text())
    names = {f"snakemake.{what}"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            (target,) = node.targets
            pairs = (
                zip(target.elts, node.value.elts, strict=True)
                if isinstance(node.value, ast.Tuple)
                else [(target, node.value)]
            )
            names |= {ast.unparse(one) for one, value in pairs if ast.unparse(value) == f"snakemake.{what}"}
    read = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {node.attr for node in read if ast.unparse(node.value) in names} - {"get"}


ALL, BASES = rules()
SCRIPTS = {name: about for name, about in ALL.items() if about[2]}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_given_what_it_reads_and_nothing_else_but_reasons(name):
    inputs, params, script = SCRIPTS[name]
    read = taken(script, "input"), taken(script, "params")
    assert (read[0] - inputs.keys(), read[1] - params.keys()) == (set(), set())
    assert (inputs.keys() - read[0]) | (params.keys() - read[1]) == UNREAD.get(name, set())


def test_what_changes_nothing_of_an_output_takes_it_and_is_no_reason_to_run_again():
    found = {
        name: {key for key, text in params.items() if re.match(r"lambda wildcards, output\b", text)}
        for name, (_, params, _) in SCRIPTS.items()
    }
    assert {name: keys for name, keys in found.items() if keys} == NO_REASON
    assert SCRIPTS.keys() >= UNREAD.keys()


def test_runs_take_packed_images_of_any_age_and_how_they_use_the_machine_is_no_reason_to_run_again():
    text = (ROOT / "workflow/engine/commands.py").read_text()
    assert re.findall(r'"packed": (\w+)\(f"data/packed', text) == ["ancient"]
    assert re.findall(r"def (\w+)\(wildcards: Any, output: Any\)", text) == ["machine"]
    for rule in ("train", "evaluate"):
        params = ALL[rule][1]
        assert params["how"].strip() == f'commands.machine("{rule}.py"),'


def test_a_rule_that_is_made_from_another_takes_other_files_and_other_parameters():
    same_files = {name for name, base in BASES.items() if ALL[name][0] == ALL[base][0]}
    assert same_files <= {"rank_runs"}  # the same table, for the trainings that go on
    assert [name for name, base in BASES.items() if ALL[name][1] == ALL[base][1]] == []


def test_a_command_is_given_the_parameters_that_it_names():
    for path in (ROOT / "rules").rglob("*.smk"):
        for plain, base, other, body in RULE.findall(path.read_text()):
            if "    shell:" in body:
                params = section(body, "params")
                assert set(re.findall(r"\{params\.(\w+)", body)) == params.keys(), plain or other or base


def test_files_lie_where_they_did():
    """Who has finished runs has them under these names; see golden.py for a change that is meant."""
    files = [*(ROOT / "rules").rglob("*.smk"), ROOT / "workflow/engine/commands.py"]
    text = "".join(path.read_text() for path in files)
    checked("paths_of_rules", "\n".join(sorted(re.findall(r'"((?:results|data)/\w[^"]*)"', text))) + "\n")
