"""What a Raft server does while one leader is followed by all: heartbeats and their answers (`simulator.quiet`)."""

from __future__ import annotations

from collections.abc import Collection

from simulator.algorithms.raft.check_quorum import CheckQuorum
from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.election_timer import (
    ELECTION,
    HEARTBEAT,
    LED,
    QUORUM,
    TICK,
    TOUCH,
    ElectionTimer,
    LastContactTimer,
)
from simulator.algorithms.raft.membership import Membership
from simulator.algorithms.raft.messages import AppendEntries, AppendEntriesReply
from simulator.algorithms.raft.tick_timer import TickTimer
from simulator.protocol import LEADER, NodeId, Role
from simulator.quiet import Awaited, Beat, Quiet


def never_quiet(config: RaftConfig) -> str | None:
    """Return why servers with these options have no keep-alives that could be skipped; None if they have."""
    if config.heartbeat_spread:
        return "heartbeats are sent at random intervals (heartbeat_spread)"
    if config.poll_interval is not None:
        return "servers look at their timeouts in a poll loop (poll_interval)"
    if config.lease_reads:
        return "each round of heartbeats renews a lease, which is noted (lease_reads)"
    if config.replication:
        return "heartbeats carry the log (replication)"
    if config.least_silence is not None:
        return "heartbeats do not set election timeouts again (least_silence)"
    return None


def part(
    config: RaftConfig,
    role: Role,
    term: int,
    leader: NodeId,
    membership: Membership,
    timer: ElectionTimer,
    check_quorum: CheckQuorum | None,
) -> Quiet | None:
    """Return the part of a leader, or of a follower that knows `leader`; None where it is not sure."""
    if never_quiet(config) is not None:
        return None
    if role is LEADER:
        return _leading(config, term, leader, membership, timer, check_quorum)
    return _following(config, term, leader, timer)


def skipped(timer: ElectionTimer, check_quorum: CheckQuorum | None, elapsed_ns: int, peers: Collection[NodeId]) -> None:
    """Bring a leader's state to the end of a quiet period, in which all these peers have answered."""
    if isinstance(timer, TickTimer):
        timer.skip(elapsed_ns)
    if check_quorum is not None:
        check_quorum.active = set(peers)


def _leading(
    config: RaftConfig,
    term: int,
    me: NodeId,
    membership: Membership,
    timer: ElectionTimer,
    check_quorum: CheckQuorum | None,
) -> Quiet | None:
    peers = membership.peers
    tick = config.tick
    beats = [
        Beat(
            timer=HEARTBEAT if tick is None else TICK,
            period_ns=config.heartbeat_interval if tick is None else tick,
            every=1 if tick is None else config.heartbeat_interval // tick,
            message=AppendEntries,
            to=peers,
            answer=AppendEntriesReply,
        )
    ]
    if check_quorum is None:
        return Quiet(leader=me, term=term, beats=beats)
    if not membership.is_majority(check_quorum.active):
        return None  # It may step down soon.
    awaits = []
    if check_quorum.slides:
        awaits = [
            Awaited(of=peer, message=AppendEntriesReply, timer=f"{TOUCH}{peer}", bears_ns=check_quorum.lease_ns)
            for peer in peers
        ]
    elif not check_quorum.uses_ticks:
        beats.append(Beat(timer=QUORUM, period_ns=check_quorum.lease_ns))
    return Quiet(
        leader=me,
        term=term,
        beats=beats,
        awaits=awaits,
        answered=frozenset(check_quorum.active),
        quorum=membership.quorum - membership.is_voter,
        quorum_ns=check_quorum.lease_ns - (tick or 0),
    )


def _following(config: RaftConfig, term: int, leader: NodeId, timer: ElectionTimer) -> Quiet | None:
    low = config.election_timeout[0]
    if isinstance(timer, TickTimer):
        assert config.tick is not None
        waits = Awaited(of=leader, message=AppendEntries, bears_ns=low - config.tick, left_ns=timer.left_ns)
        beats = [Beat(timer=TICK, period_ns=config.tick)]
        return Quiet(leader=leader, term=term, beats=beats, awaits=[waits]) if timer.leader_was_heard else None
    assert not isinstance(timer, LastContactTimer)
    awaits = [Awaited(of=leader, message=AppendEntries, timer=ELECTION, bears_ns=low, draws=1)]
    if timer.keeps_led:
        awaits.append(Awaited(of=leader, message=AppendEntries, timer=LED, bears_ns=low))
    return Quiet(leader=leader, term=term, awaits=awaits)
