"""When names seem to say what belongs together, at the bounds."""

import pytest

import apr.data.formats  # noqa: F401 - before its parts
from apr.data.reading.groups import FEWEST_GROUPS, LARGEST_GROUP, _are_groups, column_hint


def keys(*sizes):
    """Images in groups of these sizes."""
    return {f"{group}_{number}": str(group) for group, size in enumerate(sizes) for number in range(size)}


@pytest.mark.parametrize(
    ("sizes", "others", "are"),
    [
        ([2] * FEWEST_GROUPS, 0, True),
        ([2] * (FEWEST_GROUPS - 1) + [1], 0, False),
        ([2] * FEWEST_GROUPS, FEWEST_GROUPS // 2, True),  # four of five images
        ([2] * FEWEST_GROUPS, FEWEST_GROUPS // 2 + 1, False),
        ([LARGEST_GROUP] * FEWEST_GROUPS, 0, True),
        ([LARGEST_GROUP + 1] * FEWEST_GROUPS, 0, False),
        ([2] * (FEWEST_GROUPS // 2) + [999] * (FEWEST_GROUPS // 2 + 1), 0, False),
        ([2] * (FEWEST_GROUPS // 2 + 1) + [999] * (FEWEST_GROUPS // 2), 0, True),  # the middle one counts
        ([2] * FEWEST_GROUPS + [1] * FEWEST_GROUPS, 0, False),  # one alone is no group
    ],
)
def test_groups_are_several_small_and_nearly_all(sizes, others, are):
    found = keys(*sizes)
    assert _are_groups(found, len(found) + others) is are


def test_a_column_of_groups_has_neither_one_value_nor_as_many_as_images():
    for cells, said in (("aab", True), ("aaa", False), ("abc", False)):
        assert (column_hint({"patient_id": list(cells)}) is not None) is said
    assert "'patient_id' seems to name what belongs together (2 of 3 images)" in column_hint(
        {"patient_id": list("aab")}
    )
    assert column_hint({"colour": list("aab")}) is None
