"""What goes on beside the jobs of a workflow: failures, shared folders, warm starts, status and queue, made up."""

import logging
import os
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from engine import decoded, warm, watching
from engine.failures import TAIL, failed_jobs, was_stopped
from study import ROOT


def failed(rule, *logs, wildcards=("x",)):
    return SimpleNamespace(
        rule=SimpleNamespace(name=rule), wildcards=wildcards, log=logs, output=[], is_group=lambda: False
    )


def test_failed_jobs_are_listed_in_order_with_all_their_logs(tmp_path):
    jobs = [failed("b", "1.log", "2.log"), failed("a", wildcards=("x", 3))]
    assert failed_jobs(SimpleNamespace(failed=jobs)) == (
        "2 job(s) failed; their logs say why:\n  a x 3: has no log\n  b x: 1.log, 2.log\n"
    )
    many = [failed("a", wildcards=(number,)) for number in range(1_005)]
    assert failed_jobs(SimpleNamespace(failed=many)).endswith("  and 1,000 more\n")
    assert failed_jobs(SimpleNamespace(failed=many[:5])).count("\n") == 6
    log = tmp_path / "log"
    for text, stopped in (
        ("interrupted by SIGTERM\n", False),  # no time before it
        ("12:00 interrupted by SIGTERM\n", True),
        ("12:00 interrupted by SIGTERM\none\n", True),
        ("12:00 interrupted by SIGTERM\none\ntwo\n", False),
        ("12:00 interrupted by SIGTERM" + "x" * TAIL, False),
    ):
        log.write_text(text)
        assert was_stopped(log) is stopped, text
    assert not was_stopped(tmp_path / "none")


def test_a_folder_for_decoded_pictures_is_made_anew_or_done_without(monkeypatch, tmp_path, caplog):
    ends = []
    monkeypatch.setattr(decoded.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(decoded.atexit, "register", lambda *what: ends.append(what))
    monkeypatch.setenv(decoded.VARIABLE, "/another/node")
    decoded.share_decoded()
    (folder,) = tmp_path.iterdir()
    assert os.environ[decoded.VARIABLE] == str(folder)
    assert folder.name.startswith(".aprbench-decoded.")
    assert ends == [(decoded.remove_part, folder)]
    decoded.remove_part(folder)

    def refuse(*_, **__):
        raise OSError("no place")

    monkeypatch.setattr(decoded, "new_part", refuse)
    logging.getLogger("snakemake").propagate = True
    decoded.share_decoded()
    assert decoded.VARIABLE not in os.environ
    assert "Every training decodes its pictures itself: there is no place to share them (no place)." in caplog.text


def test_scripts_start_warm_unless_they_have_environments_or_it_is_switched_off(monkeypatch):
    offered = []
    starts = warm.WarmStarts()
    monkeypatch.setattr(starts, "open", lambda: offered.append("open") or len(offered) < 3)
    monkeypatch.setattr(starts, "_follow_benchmarks", lambda: offered.append("benchmarks"))
    monkeypatch.setattr(warm, "_start_scripts_warm", lambda: offered.append("scripts"))
    plain = SimpleNamespace(deployment_settings=SimpleNamespace(deployment_method=set()))
    own = SimpleNamespace(deployment_settings=SimpleNamespace(deployment_method={"conda"}))
    monkeypatch.setenv(warm.SOCKETS, "/others")
    starts.offer(own)
    assert (offered, warm.SOCKETS in os.environ) == ([], False)
    monkeypatch.setenv(warm.SWITCH, "0")
    starts.offer(plain)
    assert offered == []
    monkeypatch.setenv(warm.SWITCH, "1")
    starts.offer(plain)
    assert offered == ["open", "benchmarks", "scripts"]
    starts.offer(plain)  # there can be none
    assert offered == ["open", "benchmarks", "scripts", "open"]
    assert warm.command_of("runs") == f"{ROOT / 'workflow/warm/start.py'} runs"


def test_a_dry_run_tells_its_table_of_jobs_once(monkeypatch):
    handler = logging.StreamHandler()
    handler.name = watching.PLAIN
    monkeypatch.setattr(watching.log, "handlers", [handler])
    watching._print_plan_once(SimpleNamespace(output_settings=SimpleNamespace(dryrun=False)))
    assert handler.filters == []
    watching._print_plan_once(SimpleNamespace(output_settings=SimpleNamespace(dryrun=True)))
    records = [SimpleNamespace(event=event) for event in (LogEvent.RUN_INFO, LogEvent.JOB_INFO, LogEvent.RUN_INFO)]
    assert [bool(handler.filter(one)) for one in [*records, SimpleNamespace()]] == [False, True, True, True]


def test_what_is_watched_begins_and_ends_with_the_jobs(monkeypatch):
    import apr.watch.status
    import engine.terminal

    done = []

    class Status:
        def __init__(self, plan, root, more, call, shown):
            done.append(("status", plan, root, call, shown))
            self.more = more

        def start(self):
            done.append("start")

        def finish(self, asked):
            done.append(("finish", list(asked)))

        def stop(self, outcome):
            done.append(("stop", outcome))

    steps = SimpleNamespace(call="call")
    terminal = SimpleNamespace(steps=steps, shown="shown", close=lambda: done.append("closed"))
    monkeypatch.setattr(apr.watch.status, "StatusWriter", Status)
    monkeypatch.setattr(engine.terminal, "Terminal", lambda workflow: terminal)
    monkeypatch.setattr(watching, "share_decoded", lambda: done.append("decoded"))
    monkeypatch.setattr(watching.WarmStarts, "offer", lambda self, workflow: done.append("warm"))
    monkeypatch.setattr(watching, "DataFirst", lambda scheduler, rules, local: done.append((sorted(rules)[0], local)))
    monkeypatch.setattr(watching, "_watched_queue", lambda workflow: queue)
    queue = SimpleNamespace(summary="2 jobs\n", stop=lambda: done.append("queue ended"))
    workflow = SimpleNamespace(
        remote_exec=False,
        output_settings=SimpleNamespace(dryrun=False),
        executor_plugin=SimpleNamespace(name="slurm"),
        scheduler=SimpleNamespace(job_rate_limiter=1, failed=[failed("a", "b.log")]),
        persistence=SimpleNamespace(_params=SimpleNamespace(cache_clear=lambda: done.append("asked again"))),
        dag_settings=SimpleNamespace(targets=["audit"]),
    )
    study = SimpleNamespace(run_here=["x"], planned=lambda task: f"plan of {task}")
    watched = watching.Watching(workflow, study, local=True)
    assert done == []
    watched.start()
    plan = ("status", {"x": "plan of x"}, ".", "call", "shown")
    assert done == [plan, "start", "decoded", "warm", ("download_file", True), "asked again"]
    assert workflow.scheduler.job_rate_limiter is None
    assert watched._more() == "1 job(s) failed; their logs say why:\n  a x: b.log\n2 jobs\n"
    done.clear()
    watched.finish()
    watched.stop()
    ends = ["closed", "queue ended"]
    assert done == [("finish", ["audit"]), *ends, ("stop", watching.STOPPED), *ends]
    workflow.dag_settings.targets = None
    watched.finish()
    assert ("finish", []) in done
    done.clear()
    workflow.remote_exec = True
    watching.Watching(workflow, study, local=False)
    assert done == ["decoded", "warm"]
    workflow.executor_plugin.name = "local"
    alone = watching.Watching(workflow, study, local=False)
    alone.start()
    alone.stop()
    assert (alone.queue, alone._more()) == (None, "1 job(s) failed; their logs say why:\n  a x: b.log\n")


def test_a_queue_is_watched_once_slurm_takes_the_jobs(monkeypatch, caplog):
    from engine import slurm

    begun = []

    class Watch:
        def __init__(self, name):
            self.name = name

        def start(self):
            begun.append(self.name)

    settings = SimpleNamespace(jobname_prefix="apr")
    executor = SimpleNamespace(run_uuid="apr_7")
    workflow = SimpleNamespace(executor_settings=settings, scheduler=SimpleNamespace(_executor=executor))
    monkeypatch.setattr(slurm, "QueueWatch", Watch)
    monkeypatch.setattr(slurm, "check_cluster", lambda workflow: None)
    monkeypatch.setattr(slurm, "survivors", lambda prefix, folder: [prefix, folder])
    logging.getLogger("snakemake").propagate = True
    assert watching._watched_queue(workflow).name == "apr_7"
    assert begun == ["apr_7"]
    assert f"2 SLURM job(s) of an earlier call still run here: apr {os.getcwd()}. What they train" in caplog.text
    assert f"to end them: scancel apr {os.getcwd()}" in caplog.text

    def refuse(workflow):
        raise slurm.Refused("no such account")

    monkeypatch.setattr(slurm, "check_cluster", refuse)
    with pytest.raises(SystemExit, match=r"^error: no such account$"):
        watching._watched_queue(workflow)
