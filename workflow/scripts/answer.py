"""Write what the study answers, in a few sentences."""

from apr.basics.logs import log_to
from apr.comparisons.answers.study import study_answer
from apr.comparisons.answers.verdicts import save_answer

with log_to(snakemake.log[0]):
    save_answer(study_answer(**snakemake.params.parts), **snakemake.output)
