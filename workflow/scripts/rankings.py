"""Make table and figure of a ranking, of the same numbers: does the order of models on one task hold on another?

The figure is a matrix of all correlations, or a panel for each pair of tasks.
"""

from apr.basics.logs import log_to
from apr.comparisons.rankings import ranked_pairs, rankings_table
from apr.comparisons.table import save_table
from apr.figures.ranks.heat_map import draw_heat_map
from apr.figures.ranks.multiples import draw_multiples
from apr.figures.style import save_drawing
from apr.scores.tested import read_once

with log_to(snakemake.log[0]):
    params, output = snakemake.params, snakemake.output
    scores, counts, families = read_once(snakemake.input.scores)
    known = params.bootstrap | {"counts": counts, "families": families}
    found = ranked_pairs(scores, params.ranking, **known)
    table = rankings_table(scores, params.ranking, params.titles, **known, found=found)
    draw = draw_heat_map if params.ranking["matrix"] else draw_multiples
    drawing = draw(scores, params.ranking, params.titles, **known, found=found)
    save_table(table, csv=output.table_csv, md=output.table_md, caption=output.table_caption)
    save_drawing(drawing, pdf=output.fig_pdf, png=output.fig_png, csv=output.fig_csv, caption=output.fig_caption)
