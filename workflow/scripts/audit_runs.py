"""Audit every run of the study; as the target `audit` (strict) also say what is wrong, and fail where something is."""

import sys

from apr.basics.escaping import markdown_caption, visible
from apr.basics.files import write_text
from apr.basics.logs import log_to
from apr.basics.problems import Problem
from apr.comparisons.table import markdown, save_table, write_csv
from apr.watch.audit import audit, wrong
from apr.watch.audit_report import audit_table, described, remedy, to_come

SHOWN = 20  # findings of a kind on the terminal; the file has all

with log_to(snakemake.log[0]):
    plan = snakemake.params.plan
    result = audit(plan, ".")
    table = audit_table(result, {task: entry["title"] for task, entry in plan.items()})
    if not snakemake.params.strict:
        save_table(table, **snakemake.output)
    else:
        head = f"{markdown(table.shown)}\n{markdown_caption(table.caption)}\n\n"
        write_csv("results/audit.csv", table.data)
        write_text("results/audit.md", head + described(result.findings))
        print(visible(head + described(result.findings, SHOWN)), file=sys.stderr)
        print(to_come(result.findings), file=sys.stderr)
        if wrong(result.findings):
            raise Problem(remedy(result.findings))
