import pytest
from data_helpers import refused_as

from apr.models.cells import cell_of_indices, structure_of_cell

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"


def test_naslib_numbers_the_operations_edge_by_edge():
    # edges (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)
    assert cell_of_indices("(2, 2, 0, 4, 2, 0)") == CELL
    assert cell_of_indices("(1, 0, 2, 3, 4, 1)") == (
        "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
    )


def test_the_structure_is_that_of_nats_bench():
    # the second row of nats_bench.csv of v-tao/nats-bench-landscape
    assert structure_of_cell(CELL) == (
        "((0)@nor_conv_3x3)@avg_pool_3x3+(0)@nor_conv_3x3+((0)@nor_conv_3x3)@nor_conv_3x3+0"
    )


def test_cells_that_compute_the_same_have_one_structure():
    direct = "|skip_connect~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|"
    through_the_first_node = "|skip_connect~0|+|none~0|none~1|+|none~0|avg_pool_3x3~1|none~2|"
    assert structure_of_cell(direct) == structure_of_cell(through_the_first_node) == "#+#+(0)@avg_pool_3x3"


@pytest.mark.parametrize("text", ["(0, 0, 0, 0, 0, 5)", "(0, 0)", CELL, ""])
def test_what_is_no_list_of_operations_is_refused(text):
    with refused_as(f"{text!r} is not six numbers of operations in brackets, as NASLib names a cell"):
        cell_of_indices(text)


@pytest.mark.parametrize("text", ["(0, 0, 0, 0, 0, 0)", CELL.replace("avg", "max"), CELL[1:]])
def test_what_is_no_cell_is_refused(text):
    with refused_as(f"{text!r} is not a cell as NAS-Bench-201 writes it (|nor_conv_3x3~0|+|…)"):
        structure_of_cell(text)
