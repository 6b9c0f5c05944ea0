"""The five lines that end `make mine`: the answer, where the report is, and what to try next."""

import pytest
from data_helpers import put
from fabricated import write_json

from apr.basics.problems import Problem
from mine.results import answer_lines, result_lines

ANSWER = """Does the ranking of models on photos hold on the targets?

- Yes, beyond chance, on 1 of 1: shells (ρ = 0.71 [0.40, 0.88]).
- Taking the best on photos loses: shells 1.2 error points.

Which model to take:

- shells: take lite2 (accuracy 91.0 [88.0, 94.0] %).

How far ImageNet accuracy could be trusted here:

- shells: lite2, the best on ImageNet, loses nothing.
"""
GUESSING = "20 of 24 models err as much as a guess (50.0 %) or more, within the noise of 90 test images"
OWN = "    flip: true  # or flip: false\n    # to keep together, add: split: {by: group}\n"


def finished(root, weak="", tests=500, own=OWN, **looked):
    """A study as a run would leave it, as far as it is read here."""
    put(root, "own.yaml", data=own.encode())
    put(root, "configfiles", data=b"studies/mine.yaml mine/shells/own.yaml\n")
    put(root, "results/answer.txt", data=ANSWER.encode())
    put(root, "results/tables/correlations.csv", data=f'target,rho,weak\nshells,0.7,"{weak}"\nmean,0.7,\n'.encode())
    write_json(root / "results/views/shells.json", {"n_test": tests})
    known = {"task": "shells", "epochs": 13, "handed": False, "groups": ""}
    write_json(root / "looked.json", known | looked)
    return root


def test_it_is_five_lines_of_which_three_answer(tmp_path):
    lines = result_lines(finished(tmp_path))
    assert len(lines) == 5
    assert lines[0].startswith("Does the ranking of models on photos hold on the targets? Yes, beyond chance")
    assert lines[0].endswith("loses: shells 1.2 error points.")
    assert lines[1] == "Which model to take: shells: take lite2 (accuracy 91.0 [88.0, 94.0] %)."
    assert "\n" not in "".join(lines)
    assert f"{tmp_path}/report.html" in lines[3]
    assert "--configfile studies/mine.yaml mine/shells/own.yaml" in lines[3]
    assert lines[4].startswith("Next: more of the pictures")


NEXT = {
    "guessing": ({"weak": GUESSING}, ["more epochs, such as epochs: 39 of shells"]),
    "alike": ({"weak": "its 24 models differ by no more than the noise"}, ["more of the pictures"]),
    "few test pictures": ({"tests": 90}, ["more test pictures (90 now), or a second seed of shells"]),
    "groups": ({"groups": "split: {by: group}"}, ["split: {by: group} under datasets"]),
    "groups that are kept": ({"groups": "split: {by: group}", "own": "split: {by: group}"}, ["more of the pictures"]),
    "signs": ({"handed": True}, ["flip: false, if left and right matter"]),
    "signs that are not flipped": ({"handed": True, "own": "    flip: false\n"}, ["more of the pictures"]),
    "several": ({"handed": True, "tests": 90}, ["more test pictures", "; flip: false"]),
    "by hand": ({"task": None}, ["more of the pictures"]),
}


@pytest.mark.parametrize(("seen", "wanted"), NEXT.values(), ids=NEXT)
def test_what_to_try_next_follows_from_what_was_seen(tmp_path, seen, wanted):
    said = result_lines(finished(tmp_path, **seen))[-1]
    assert all(text in said for text in wanted), said
    assert said.count(";") == len(wanted) - 1


def test_a_study_that_is_not_finished_has_no_result(tmp_path):
    finished(tmp_path)
    (tmp_path / "results/answer.txt").unlink()
    with pytest.raises(Problem, match="is not there: the study is not finished; run it again"):
        result_lines(tmp_path)


def test_a_question_without_a_list_stays_a_line():
    assert answer_lines("What?\n\n- one.\n- two.\n\nNothing can be\nsaid.\n") == [
        "What? one. two.",
        "Nothing can be said.",
    ]
