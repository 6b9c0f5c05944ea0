"""Draw a ranking: small multiples of one task's score against another's, or a matrix of all correlations."""

from apr.basics.logs import log_to
from apr.figures.ranks.heat_map import draw_heat_map
from apr.figures.ranks.multiples import draw_multiples
from apr.figures.style import save_drawing
from apr.scores.tested import read_once

with log_to(snakemake.log[0]):
    params = snakemake.params
    scores, counts, families = read_once(snakemake.input.scores)
    draw = draw_heat_map if params.ranking["matrix"] else draw_multiples
    drawing = draw(
        scores,
        params.ranking,
        params.titles,
        **params.bootstrap,
        counts=counts,
        families=families,
    )
    save_drawing(drawing, **snakemake.output)
