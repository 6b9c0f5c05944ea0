"""Which jobs of this call failed, for the status of a study."""

import os
from typing import Any

SHOWN = 5


def failed_jobs(scheduler: Any) -> str:
    """A line for each job that Snakemake's scheduler has given up, with its log; at most SHOWN, then how many more.

    Of a group those count whose outputs are not there.
    """
    failed = []
    for job in list(scheduler.failed):
        for member in job.jobs if job.is_group() else [job]:
            if not (job.is_group() and all(map(os.path.exists, member.output))):
                of = " ".join(map(str, member.wildcards))
                failed.append(f"  {member.rule.name} {of}: {', '.join(map(str, member.log)) or 'has no log'}\n")
    if not failed:
        return ""
    more = f"  and {len(failed) - SHOWN:,} more\n" if len(failed) > SHOWN else ""
    return f"{len(failed):,} job(s) failed; their logs say why:\n{''.join(sorted(failed)[:SHOWN])}{more}"
