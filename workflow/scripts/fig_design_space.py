"""Draw example images of each dataset, and the design space as a schematic."""

from pathlib import Path

from apr.basics.logs import log_to
from apr.data.packed import open_packed
from apr.figures.runs.design_space import choose_examples, draw_design_space
from apr.figures.style import save_drawing

with log_to(snakemake.log[0]):
    params = snakemake.params
    examples = {}
    for dataset, path in zip(params.datasets, snakemake.input.packed, strict=True):
        packed = open_packed(Path(path).with_suffix(""), params.storage[dataset])
        examples[params.titles[dataset]] = choose_examples(packed, params.images, params.seed)
    save_drawing(draw_design_space(examples, params.space), **snakemake.output)
