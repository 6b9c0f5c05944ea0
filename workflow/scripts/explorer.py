"""Write the explorer: every model and task of the study in one page."""

from apr.basics.files import write_text
from apr.basics.logs import log_to
from apr.figures.explorer.contents import read_contents
from apr.figures.explorer.page import explorer_page

with log_to(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    contents = read_contents(params.title, params.plan, params.axes, files.scores, next(iter(files.population), None))
    write_text(snakemake.output[0], explorer_page(contents))
