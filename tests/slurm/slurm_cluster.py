"""A real SLURM cluster on this machine: a controller, some nodes and GPUs that are only names.

    python tests/slurm/slurm_cluster.py install          the packages, on Debian or Ubuntu, as root
    python tests/slurm/slurm_cluster.py start FOLDER     until every node is idle; prints the environment to use it
    python tests/slurm/slurm_cluster.py stop FOLDER

Everything lies in FOLDER; nothing in /etc is read or written. Debian builds slurmd so that several run side by side.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

PACKAGES = ["munge", "slurm-client", "slurmctld", "slurmd"]
DAEMONS = ["munged", "slurmctld", "slurmd", "sbatch"]
NODES, CPUS, MEMORY, GPUS = 3, 8, 64_000, 2  # each node's; the memory is in MB, and as invented as the GPUs
PORTS = range(17_800, 30_000, 20)  # the first of each cluster's
SBIN = ["/usr/sbin", "/sbin"]
LONGEST = 1800  # seconds that anything is waited for

# A requeued job waits for the credentials to expire: 10 s instead of 120. config_overrides: a node has what its line
# says. Partitions: `night` gives way to `urgent` at once and is requeued, `spot` is warned and cancelled.
CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,batch_sched_delay=0,sched_min_interval=0
SlurmctldTimeout=10
SlurmdTimeout=10
ReturnToService=2
KillWait=5
MinJobAge=300
JobRequeue=1
AccountingStorageType=accounting_storage/none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=night Nodes=ALL Default=YES PriorityTier=1 PreemptMode=REQUEUE
PartitionName=spot Nodes=ALL PriorityTier=1 PreemptMode=CANCEL GraceTime=5
PartitionName=urgent Nodes=ALL PriorityTier=10 PreemptMode=OFF
"""


class Cluster:
    """The cluster in a folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).resolve()
        self.nodes = [f"node{number}" for number in range(1, NODES + 1)]

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use the cluster."""
        path = [str(self.folder / "bin"), *os.get_exec_path(), *SBIN]
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": os.pathsep.join(dict.fromkeys(path))}

    def start(self) -> None:
        """Write the configuration and start the daemons, unless they run."""
        for name in ("state", "spool", "bin", "dev"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._configure()
        if not self._alive("munged"):
            self._daemon("munged", "--force", *(f"--{key}={self.folder / value}" for key, value in MUNGE.items()))
        if not self._alive("slurmctld"):
            self._daemon("slurmctld")
        for node in self.nodes:
            self.start_node(node)
        self.wait_for_nodes()

    def start_node(self, name: str) -> None:
        """Start a node's daemon, unless it runs."""
        (self.folder / "spool" / name).mkdir(exist_ok=True)
        if not self._alive(f"slurmd.{name}"):
            self._daemon("slurmd", "-N", name)

    def kill_node(self, name: str) -> None:
        """Kill a node's daemon: for the controller the node is gone, while what ran on it lives on."""
        os.kill(self._pid(f"slurmd.{name}"), signal.SIGKILL)

    def lose_node(self, name: str) -> None:
        """Let the controller see that a node is gone, which it would by itself in half a minute."""
        self.command("scontrol", "update", f"NodeName={name}", "State=DOWN", "Reason=gone")

    def wait_for_nodes(self) -> None:
        """Wait until all nodes can take jobs."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            states = self.command("sinfo", "-h", "-N", "-o", "%t", check=False).split()
            if states and all(state in ("idle", "mix", "alloc") for state in states):
                return
            time.sleep(0.2)
        sys.exit(f"error: the nodes did not come up in {LONGEST} s; see {self.folder}/*.log")

    def command(self, *words: str, check: bool = True) -> str:
        """Output of one of SLURM's commands."""
        done = subprocess.run(words, capture_output=True, text=True, env=os.environ | self.environment, timeout=LONGEST)
        if check and done.returncode:
            sys.exit(f"error: {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def which(self, program: str) -> str:
        """Where one of SLURM's programs lies."""
        return shutil.which(program, path=self.environment["PATH"]) or program

    def stop(self) -> None:
        """End all jobs and daemons; munged last, since the others talk through it."""
        if self._alive("slurmctld"):
            self.command("scancel", "--me", "--signal=KILL", "--full", check=False)
            self.command("scancel", "--me", check=False)
        for name in (*(f"slurmd.{node}" for node in self.nodes), "slurmctld", "munged"):
            if self._alive(name):
                pid = self._pid(name)
                os.kill(pid, signal.SIGTERM)
                end = time.monotonic() + 15  # killed afterwards
                while self._alive(name) and time.monotonic() < end:
                    time.sleep(0.05)
                if self._alive(name):
                    os.kill(pid, signal.SIGKILL)

    def _configure(self) -> None:
        host, user = socket.gethostname().split(".")[0], subprocess.check_output(["id", "-un"], text=True).strip()
        port = self._port()
        lines = [CONFIG.format(host=host, user=user, port=port, folder=self.folder)]
        size = f"CPUs={CPUS} RealMemory={MEMORY} Gres=gpu:{GPUS}"
        lines += [
            f"NodeName={node} NodeAddr=127.0.0.1 Port={port + 1 + number} {size}\n"
            for number, node in enumerate(self.nodes)
        ]
        (self.folder / "slurm.conf").write_text("".join(lines))
        # slurmd loads a plugin for cgroups even where nothing uses them, and 22.05 knows no `disabled`
        version = subprocess.check_output(["slurmd", "-V"], text=True, env=os.environ | self.environment).split()[-1]
        old = tuple(map(int, version.split(".")[:2])) < (23, 2)
        (self.folder / "cgroup.conf").write_text(f"CgroupPlugin={'cgroup/v1' if old else 'disabled'}\n")
        # a GPU has to be a device, or CUDA_VISIBLE_DEVICES stays unset
        for number in range(GPUS):
            device = self.folder / f"dev/gpu{number}"
            if not device.is_symlink():
                device.symlink_to("/dev/null")
        gpus = f"Name=gpu File={self.folder}/dev/gpu[0-{GPUS - 1}]"
        (self.folder / "gres.conf").write_text("".join(f"NodeName={node} {gpus}\n" for node in self.nodes))
        key = self.folder / "munge.key"
        if not key.exists():
            key.touch(mode=0o600)
            key.write_bytes(os.urandom(1024))
        # Snakemake's jobstep plugin takes SLURM_CONF away from the srun that it calls; this one puts it back
        shim = self.folder / "bin/srun"
        real = shutil.which("srun")
        shim.write_text(f'#!/bin/sh\nSLURM_CONF="{self.folder}/slurm.conf" exec {real} "$@"\n')
        shim.chmod(0o755)

    def _port(self) -> int:
        """The port of a cluster that was started here before, else one that is free."""
        with suppress(FileNotFoundError):
            return int(re.search(r"SlurmctldPort=(\d+)", (self.folder / "slurm.conf").read_text())[1])
        first = os.getpid() % len(PORTS)  # two that start at once look at different ones
        for port in (*PORTS[first:], *PORTS[:first]):
            with suppress(OSError), socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
                return port
        sys.exit("error: no port is free for a controller")

    def _daemon(self, *command: str) -> None:
        log = self.folder / f"{command[0]}.start.log"
        with log.open("a") as file:
            done = subprocess.run(command, stdout=file, stderr=file, env=os.environ | self.environment, timeout=LONGEST)
        if done.returncode:
            sys.exit(f"error: {' '.join(command)} failed: {log.read_text()[-1000:]}")

    def _pid(self, name: str) -> int:
        return int((self.folder / f"{name}.pid").read_text())

    def _alive(self, name: str) -> bool:
        try:
            program, state = re.match(r"\d+ \((.*)\) (.)", Path(f"/proc/{self._pid(name)}/stat").read_text()).groups()
            return program == name.split(".")[0] and state not in "ZX"
        except (OSError, ValueError):
            return False


MUNGE = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid"}
MUNGE |= {"log-file": "munged.log", "seed-file": "munge.seed"}


def missing() -> list[str]:
    """Programs that a cluster needs and this machine lacks."""
    path = os.pathsep.join([*os.get_exec_path(), *SBIN])
    return [name for name in DAEMONS if not shutil.which(name, path=path)]


def install() -> None:
    """Install SLURM, unless it is there."""
    if not missing():
        return
    if os.geteuid() or not shutil.which("apt-get"):
        sys.exit(
            f"error: {', '.join(missing())} missing; as root on Debian or Ubuntu: apt-get install {' '.join(PACKAGES)}"
        )
    # RUNLEVEL=1: the packages start no services of their own
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["install", "start", "stop"])
    parser.add_argument("folder", nargs="?", default="slurm-cluster")
    arguments = parser.parse_args()
    if arguments.action == "install":
        install()
        return
    if missing():
        sys.exit(f"error: {', '.join(missing())} missing; run: python tests/slurm/slurm_cluster.py install")
    cluster = Cluster(arguments.folder)
    cluster.start() if arguments.action == "start" else cluster.stop()
    if arguments.action == "start":
        print("".join(f"export {key}='{value}'\n" for key, value in cluster.environment.items()), end="")


if __name__ == "__main__":
    main()
