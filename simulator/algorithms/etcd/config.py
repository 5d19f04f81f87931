"""The options of the whole: etcd's members, its clients, and the election recipe."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.algorithms.raft import RaftConfig, dialect
from simulator.protocol import MILLISECOND, SECOND, Duration, DurationRange, Nanoseconds, option


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdConfig:
    """Options of a cluster of etcd, and of the clients that are connected with it."""

    servers: int = option(3, "etcd's members. They come after the candidates, by number.")
    heartbeat_interval: Duration = option(
        100 * MILLISECOND, "How often the leader sends heartbeats; also the tick of Raft (--heartbeat-interval)."
    )
    election_timeout: Duration = option(
        SECOND,
        "The least time of silence after which a member campaigns, a whole number of ticks; the most is one tick less"
        " than twice that. At least five heartbeat intervals (--election-timeout).",
    )
    pre_vote: bool = option(True, "Whether members use PreVote (--pre-vote; the default is true since etcd 3.5).")
    ensure_leadership: bool = option(
        True,
        "Whether a leader whose Raft loop has not ticked for three ticks proves with a majority that it still leads"
        " before it renews or revokes leases (etcd 3.6; also since 3.5.13 and 3.4.30).",
    )
    keepalive_time: Duration | None = option(
        10 * SECOND,
        "After how much silence of a member a client asks whether it is there (etcdctl's --keepalive-time is 2 s, which"
        " gRPC raises to 10 s). None: never, the default of the client library; then only the transport notices.",
    )
    keepalive_timeout: Duration = option(
        6 * SECOND, "How long it waits for the answer before it gives up the connection (--keepalive-timeout)."
    )
    connect_timeout: Duration = option(
        20 * SECOND, "How long a client's attempt to open a connection may take (gRPC's minConnectTimeout)."
    )
    reconnect_delay: DurationRange = option(
        (SECOND, 120 * SECOND),
        "How long a client waits after a connection has ended before it opens it again: at first, and at most. Each"
        " failed attempt makes it 1.6 times as long, and it is a fifth shorter or longer at random (gRPC's backoff).",
    )

    def __post_init__(self) -> None:
        if self.servers < 1:
            raise ValueError("servers: must be at least 1")
        for name in ("heartbeat_interval", "election_timeout", "keepalive_timeout", "connect_timeout"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be above 0")
        if not 0 < self.reconnect_delay[0] <= self.reconnect_delay[1]:
            raise ValueError("reconnect_delay: must be two durations above 0, the shorter one first")
        if self.keepalive_time is not None and self.keepalive_time < 1:
            raise ValueError("keepalive_time: must be above 0; leave it out (null) to ask never")
        if self.election_timeout < 5 * self.heartbeat_interval:
            raise ValueError("election_timeout: must be at least five heartbeat intervals (heartbeat_interval)")
        if self.election_timeout % self.heartbeat_interval:
            raise ValueError("election_timeout: must be a whole number of ticks, each of heartbeat_interval")

    @property
    def raft(self) -> RaftConfig:
        """The options of the Raft server in each member."""
        return dialect(
            "etcd",
            election_timeout=(self.election_timeout, 2 * self.election_timeout - self.heartbeat_interval),
            heartbeat_interval=self.heartbeat_interval,
            tick=self.heartbeat_interval,
            pre_vote=self.pre_vote,
            replication=True,
            no_op=True,
        )

    @property
    def request_timeout(self) -> Nanoseconds:
        """How long a member tries to serve a request: 5 s, and two election timeouts (server/config, ReqTimeout)."""
        return 5 * SECOND + 2 * self.election_timeout

    @property
    def least_ttl_s(self) -> int:
        """The shortest time to live of a lease: one and a half election timeouts, in whole ticks, then in seconds."""
        ticks = 3 * (self.election_timeout // self.heartbeat_interval) // 2
        return -(-ticks * self.heartbeat_interval // SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdElectionConfig(EtcdConfig):
    """Options of etcd, and of candidates that elect with `concurrency.Session` and `Election`."""

    session_ttl: Duration = option(
        60 * SECOND,
        "The time to live of a session's lease, in whole seconds (concurrency.WithTTL). Members raise it to one and a"
        " half election timeouts, in whole seconds.",
    )
    dial_timeout: Duration = option(
        0,
        "The client's DialTimeout. A session ends if its first keep-alive is not answered within this time and 1 s;"
        " within 5 s if it is 0.",
    )
    restart_delay: DurationRange = option(
        (0, SECOND),
        "How long the application waits after its session has ended, or its campaign has failed, before it begins anew;"
        " drawn each time. No rule of etcd says; many programs exit and are started again.",
    )
    check_own_key: bool = option(
        False,
        "Whether a candidate that has no predecessor any more reads its own key before it leads, as concurrency.Mutex"
        " does (and `etcdctl lock`). Election does not: a candidate whose own lease has ended meanwhile leads, until it"
        " learns of that, with a lower token than the next leader.",
    )
    observe: bool = option(
        True, "Whether candidates follow the leader with Election.Observe. Else only a leader knows who leads."
    )

    def __post_init__(self) -> None:
        EtcdConfig.__post_init__(self)  # With slots, super() without arguments would look at another class.
        if self.session_ttl < SECOND or self.session_ttl % SECOND:
            raise ValueError("session_ttl: must be a whole number of seconds, at least 1 s")
        if self.dial_timeout < 0:
            raise ValueError("dial_timeout: must be at least 0")
        if not 0 <= self.restart_delay[0] <= self.restart_delay[1]:
            raise ValueError("restart_delay: must be two durations of at least 0, the shorter one first")

    @property
    def first_keepalive_timeout(self) -> Nanoseconds:
        """How long a new session waits for the first answer to a keep-alive (client/v3/lease.go, NewLease)."""
        return self.dial_timeout + SECOND if self.dial_timeout else 5 * SECOND
