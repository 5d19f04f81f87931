"""What the stages of an election take real ZooKeeper servers: `python -m studies.zookeeper_elections kill 3`.

Starts an ensemble on the loopback interface, ends or freezes its leading server again and again, and reads the stages
of each election from the servers' logs, which have milliseconds (docs/zookeeper.md, section 3, says what was found).

    kill     SIGKILL; the server is started again, so the next but one leader has never led since it started
    warm     SIGKILL, after each other server has led once since it started
    freeze   SIGSTOP, and SIGCONT when there is another leader: no socket closes, and all servers keep their processes

Needs Java and ZooKeeper's jars (Debian: zookeeper), and `chrt` as root for `--real-time`, which lets the servers run
before everything else on the machine. Stops all that it has started, also after SIGTERM or Ctrl-C.
"""

from __future__ import annotations

import argparse
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from studies.etcd_histograms import interrupt, running

TICK_MS, INIT_LIMIT, SYNC_LIMIT = 500, 20, 4
SETTLES_WITHIN_S, SETTLED_FOR_S = 30, 2.0
LOGGING = """\
log4j.rootLogger=INFO, F
log4j.appender.F=org.apache.log4j.FileAppender
log4j.appender.F.File=${log}
log4j.appender.F.layout=org.apache.log4j.PatternLayout
log4j.appender.F.layout.ConversionPattern=%d{ISO8601} %m%n
"""
_JARS = re.compile(
    r"(zookeeper(-jute)?|slf4j-(api|reload4j|log4j12)|reload4j|log4j-1\.2|netty[a-z-]*|metrics-core|snappy-java"
    r"|commons-(cli|io)|audience-annotations)(-\d[\w.-]*)?\.jar"
)
_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (.*)")

Log = Sequence[tuple[float, str]]  # Milliseconds since the fault, and the text.


@dataclass(frozen=True, slots=True)
class Stages:
    """One election, in ms: from the first server's detection on where nothing else is said."""

    detection: float  # From the fault until the first server notices.
    leader_looks: float  # The next leader begins to look.
    others_look: Sequence[float]  # The same of the other survivors.
    elected: float  # The last survivor has chosen.
    notifications: Sequence[int]  # How many notifications each survivor has handled while it looked.
    handled: Sequence[float]  # From the instant at which a survivor began to look to its last notification.
    connecting: Sequence[float]  # From each follower's choice to the end of its first attempt to connect.
    opening: float  # From the leader's choice until it is ready for followers.
    served: float  # From the leader's choice until a quorum has its history.
    refused: int  # Followers whose first attempt was refused.


def read_log(text: str, since: float) -> Log:
    """The lines of a server's log from an instant on, which is in seconds since the epoch."""
    found = (_LINE.match(line) for line in text.splitlines())
    lines = [(datetime.fromisoformat(line[1].replace(",", ".")).timestamp(), line[2]) for line in found if line]
    return [((at - since) * 1000, message) for at, message in lines if at >= since - 0.001]


def first(log: Log, text: str, after: float = 0.0) -> float:
    """When a text first stands in the log. Raises ValueError if it does not."""
    for at, message in log:
        if at >= after and text in message:
            return at
    raise ValueError(f"no {text!r} in the log")


def stages(logs: Mapping[int, Log], leader: int) -> Stages:
    """The stages of an election, from the logs of the survivors. Raises ValueError if a stage is missing."""
    noticed = {server: first(log, "Exception when following the leader") for server, log in logs.items()}
    start = min(noticed.values())
    looks = {server: first(log, "New election. My id", noticed[server]) for server, log in logs.items()}
    chose = {
        server: first(log, "LEADING" if server == leader else "FOLLOWING", looks[server])
        for server, log in logs.items()
    }
    heard = {
        server: [at for at, text in log if looks[server] <= at < chose[server] and "my state:LOOKING" in text]
        for server, log in logs.items()
    }
    followers = [server for server in logs if server != leader]
    attempts = {server: _first_attempt(logs[server], chose[server]) for server in followers}
    return Stages(
        detection=start,
        leader_looks=looks[leader] - start,
        others_look=[looks[server] - start for server in followers],
        elected=max(chose.values()) - start,
        notifications=[len(heard[server]) for server in logs],
        handled=[heard[server][-1] - looks[server] for server in logs if heard[server]],
        connecting=[attempts[server][0] - chose[server] for server in followers],
        opening=first(logs[leader], "LEADER ELECTION TOOK", chose[leader]) - chose[leader],
        served=first(logs[leader], "Have quorum of supporters", chose[leader]) - chose[leader],
        refused=sum(refused for _, refused in attempts.values()),
    )


def _first_attempt(log: Log, after: float) -> tuple[float, bool]:
    """When a follower's first attempt to connect ended, and whether it was refused."""
    for at, text in log:
        if at >= after and ("Unexpected exception, tries=" in text or "Successfully connected to leader" in text):
            return at, "tries=" in text
    raise ValueError("no attempt to connect in the log")


class Ensemble:
    """Real servers in a temporary folder."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.folder, self.port = folder, arguments.port
        self.servers = range(1, arguments.servers + 1)
        self.priority = ["chrt", "--rr", "20"] if arguments.real_time else []
        wanted = [jar for jar in sorted(arguments.jars.glob("*.jar")) if _JARS.fullmatch(jar.name)]
        if not any(jar.name.startswith("zookeeper") for jar in wanted):
            raise FileNotFoundError(f"no zookeeper.jar in {arguments.jars}: install ZooKeeper, or say --jars")
        self.classes = ":".join(map(str, wanted))
        (folder / "log4j.properties").write_text(LOGGING, encoding="utf-8")
        self.processes: dict[int, tuple[ExitStack, subprocess.Popen[bytes]]] = {}

    def start(self, server: int) -> None:
        """Starts a server on the data that it has."""
        data = self.folder / str(server)
        data.mkdir(exist_ok=True)
        (data / "myid").write_text(str(server), encoding="utf-8")
        peers = "".join(f"server.{k}=127.0.0.1:{self.port + k}:{self.port + 20 + k}\n" for k in self.servers)
        (data / "zoo.cfg").write_text(
            f"tickTime={TICK_MS}\ninitLimit={INIT_LIMIT}\nsyncLimit={SYNC_LIMIT}\ndataDir={data}\n"
            f"clientPort={self.port + 40 + server}\nadmin.enableServer=false\n{peers}",
            encoding="utf-8",
        )
        command = [
            *(*self.priority, "java", "-Xmx128m", "-XX:+UseSerialGC", "-cp", self.classes),
            *(f"-Dlog={self.log(server)}", f"-Dlog4j.configuration=file:{self.folder}/log4j.properties"),
            *("org.apache.zookeeper.server.quorum.QuorumPeerMain", str(data / "zoo.cfg")),
        ]
        life = ExitStack()
        self.processes[server] = (life, life.enter_context(running(command, self.folder / f"{server}.out")))

    def log(self, server: int) -> Path:
        """The log of a server, through all its lives."""
        return self.folder / f"{server}.log"

    def signal(self, server: int, number: int) -> None:
        """Sends a signal to a server's process."""
        self.processes[server][1].send_signal(number)

    def stop(self, servers: Iterable[int]) -> None:
        """Ends servers, frozen or not."""
        for server in list(servers):
            self.signal(server, signal.SIGCONT)
            self.processes.pop(server)[0].close()

    def leader(self, among: Iterable[int]) -> int:
        """Waits until these servers have a leader. Raises RuntimeError if they have none within half a minute."""
        deadline, asked = time.monotonic() + SETTLES_WITHIN_S, list(among)
        while time.monotonic() < deadline:
            modes = {server: mode(self.port + 40 + server) for server in asked}
            leaders = [server for server, found in modes.items() if found == "leader"]
            if len(leaders) == 1 and all(modes.values()):
                return leaders[0]
            time.sleep(0.1)
        raise RuntimeError("the servers have no leader; their logs say why")


def mode(port: int) -> str | None:
    """What the server at a client port says of its role; None while it serves nobody."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as connection:
            connection.sendall(b"srvr")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
    except OSError:
        return None
    found = re.search(rb"Mode: (\w+)", answer)
    return found[1].decode() if found else None


def elect(ensemble: Ensemble, how: str) -> Stages:
    """Ends or freezes the leader once, waits for the next one, and brings the old one back."""
    leader = ensemble.leader(ensemble.servers)
    time.sleep(SETTLED_FOR_S + float(np.random.default_rng().uniform(0, 2 * TICK_MS / 1000)))
    survivors = [server for server in ensemble.servers if server != leader]
    since = time.time()
    ensemble.signal(leader, signal.SIGSTOP if how == "freeze" else signal.SIGKILL)
    time.sleep((SYNC_LIMIT + 3) * TICK_MS / 1000 if how == "freeze" else 2)
    following = ensemble.leader(survivors)
    texts = {server: ensemble.log(server).read_text(encoding="utf-8") for server in survivors}
    if how == "freeze":
        ensemble.signal(leader, signal.SIGCONT)
    else:
        ensemble.stop([leader])
        ensemble.start(leader)
    time.sleep(2)
    return stages({server: read_log(text, since) for server, text in texts.items()}, following)


def measure(arguments: argparse.Namespace) -> list[Stages]:
    """All elections of one measurement."""
    with tempfile.TemporaryDirectory(prefix="zookeeper-elections-", dir=arguments.data) as folder:
        ensemble = Ensemble(arguments, Path(folder))
        try:
            for server in ensemble.servers:
                ensemble.start(server)
            found = []
            for trial in range(arguments.trials):
                if arguments.how == "warm":
                    for _ in range(2):
                        elect(ensemble, "freeze")
                found.append(elect(ensemble, "freeze" if arguments.how == "freeze" else "kill"))
                print(f"{trial + 1} of {arguments.trials}: elected after {found[-1].elected:.0f} ms", file=sys.stderr)
            return found
        finally:
            ensemble.stop(ensemble.processes)


def table(found: Sequence[Stages]) -> str:
    """Each stage over all elections: least, quartiles, p95, greatest, mean."""
    lines = [f"{'ms':14}{'n':>5}{'least':>8}{'q1':>8}{'median':>8}{'q3':>8}{'p95':>8}{'most':>8}{'mean':>8}"]
    for name in Stages.__slots__:
        values = np.concatenate([np.atleast_1d(np.asarray(getattr(each, name), float)) for each in found])
        points = [*np.quantile(values, (0, 0.25, 0.5, 0.75, 0.95, 1), method="inverted_cdf"), values.mean()]
        lines.append(f"{name:14}{values.size:5}" + "".join(f"{point:8.1f}" for point in points))
    return "\n".join(lines)


def main() -> None:
    """Reads the options, measures, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("how", choices=("kill", "warm", "freeze"))
    parser.add_argument("servers", type=int)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--port", type=int, default=30300, help="the first of some 60 ports")
    parser.add_argument("--jars", type=Path, default=Path("/usr/share/java"), help="where ZooKeeper's jars are")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()), help="where the servers write")
    parser.add_argument("--real-time", action="store_true", help="run the servers by chrt, as root")
    signal.signal(signal.SIGTERM, interrupt)
    try:
        print(table(measure(parser.parse_args())))
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
