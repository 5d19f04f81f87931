"""The algorithms whose every crash point is tried, with the bound within which each must elect again: one line each.

A bound is stated by its reason: so many timeouts of the algorithm. `leader_crash(at)` needs a leader by then.
"""

from __future__ import annotations

from simulator.algorithms.etcd.config import EtcdElectionConfig
from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.algorithms.registry import REGISTRY
from simulator.algorithms.zookeeper.client_config import ZooKeeperConfig
from simulator.algorithms.zookeeper.config import EnsembleConfig
from simulator.cluster.distributions import Constant
from simulator.cluster.network.network import NetworkSpec, Transport
from simulator.protocol import MILLISECOND, SECOND
from tests.support.crash_points import BOOT, cases_of, leader_crash, leader_return
from tests.support.crash_watch import NEVER

_STREAMS = NetworkSpec(latency=Constant(10 * MILLISECOND), transport=Transport.STREAM)
_QUICK = EnsembleConfig(
    tick_time=100 * MILLISECOND,
    init_limit=10,
    sync_limit=4,
    notification_interval=(200 * MILLISECOND, SECOND),
    synchronisation=(0, 0, 0),
)
_QUICK_CLIENTS = ZooKeeperConfig(
    tick_time=100 * MILLISECOND,
    init_limit=10,
    sync_limit=4,
    notification_interval=(200 * MILLISECOND, SECOND),
    synchronisation=(0, 0, 0),
    session_timeout=400 * MILLISECOND,
    reconnect_delay=(0, 50 * MILLISECOND),
)
# Few passes of the token, and a wait for a DC longer than the three seconds for which a loser opposes nobody.
_QUICK_PACEMAKER = PacemakerConfig(
    token=SECOND,
    token_coefficient=0,
    unchanged_passes=1,
    join=500 * MILLISECOND,
    merge=SECOND,
    dc_deadtime=3500 * MILLISECOND,
)

_QUICK_LEASES = EtcdElectionConfig(
    session_ttl=SECOND,
    heartbeat_interval=50 * MILLISECOND,
    election_timeout=500 * MILLISECOND,
    keepalive_time=500 * MILLISECOND,
    keepalive_timeout=500 * MILLISECOND,
    connect_timeout=SECOND,
    reconnect_delay=(100 * MILLISECOND, 500 * MILLISECOND),
    restart_delay=(0, 50 * MILLISECOND),
)

_STATED = (
    # Three election timeouts of at most 300 ms, since a vote may split.
    *cases_of(REGISTRY["raft"], (BOOT, leader_crash(at=SECOND), leader_return(at=SECOND, away=SECOND)), bound=SECOND),
    # A dead node is suspected after 200 ms, and one that comes back is trusted with its first heartbeat.
    *cases_of(REGISTRY["omega"], (leader_crash(at=SECOND), leader_return(at=SECOND, away=SECOND)), bound=SECOND // 2),
    # Two timeouts of at most 10 s, each with the check after it: the first may find the dead still believed alive.
    *cases_of(
        REGISTRY["priority"],
        (BOOT, leader_crash(at=30 * SECOND), leader_return(at=30 * SECOND, away=20 * SECOND)),
        bound=23 * SECOND,
        seeds=(1,),
    ),
    # A dead leader is suspected, or a silent winner given up, after 200 ms; then two answer timeouts, and messages.
    *cases_of(
        REGISTRY["bully"],
        (BOOT, leader_crash(at=SECOND), leader_return(at=SECOND, away=SECOND)),
        bound=SECOND // 2,
    ),
    # Whoever hears nothing is alone after 400 ms; then two merges, each a check, two answer timeouts and short waits.
    *cases_of(
        REGISTRY["invitation"],
        (BOOT, leader_crash(at=SECOND), leader_return(at=SECOND, away=2 * SECOND)),
        bound=2 * SECOND,
    ),
    # A step of a dead leader's is given up after 1 s, its silence after 0.4 s; twice a vote waits for up to 1 s to be
    # repeated; then 200 ms, and 100 ms of a refused follower's.
    *cases_of(
        REGISTRY["zookeeper-ensemble"],
        (BOOT, leader_crash(at=2 * SECOND), leader_return(at=2 * SECOND, away=2 * SECOND)),
        bound=4 * SECOND,
        config=_QUICK,
        network=_STREAMS,
        seeds=(1,),
    ),
    # Candidates and servers alike. An ensemble as above, which gives all sessions their time anew: 0.4 s, a tick, and
    # half a tick until its leader is told; a client that has lost its server asks each of the others for 0.13 s.
    *cases_of(
        REGISTRY["zookeeper"],
        (BOOT, leader_crash(at=2 * SECOND), leader_return(at=2 * SECOND, away=2 * SECOND)),
        bound=5 * SECOND,
        config=_QUICK_CLIENTS,
        network=_STREAMS,
        seeds=(1,),
        backs=(NEVER, MILLISECOND),
    ),
    # A proposal that was lost with its member's leader fails after 6 s, and the application campaigns again. Before, an
    # election of members takes two timeouts of at most 0.95 s; after, a lease lasts for 1.5 s more, and 0.5 s.
    *cases_of(
        REGISTRY["etcd-election"],
        (BOOT, leader_crash(at=4 * SECOND), leader_return(at=4 * SECOND, away=3 * SECOND)),
        bound=11 * SECOND,
        config=_QUICK_LEASES,
        network=_STREAMS,
        seeds=(1,),
        backs=(NEVER, MILLISECOND),
    ),
    # Two memberships, each after a token timeout and a consensus of 2.2 s; then the wait for a DC.
    *cases_of(
        REGISTRY["pacemaker"],
        (BOOT, leader_crash(at=6 * SECOND), leader_return(at=6 * SECOND, away=4 * SECOND)),
        bound=9 * SECOND,
        config=_QUICK_PACEMAKER,
        seeds=(1,),
    ),
    # Rings draw nothing, so one seed will do. Two dead nodes in a row are found one after another, each within 400 ms.
    # Or somebody waits in vain, for all the rounds that an algorithm needs, of 250 ms for five nodes; then for another.
    *(
        case
        for name, bound in (("ring", 2 * SECOND), ("chang-roberts", 3 * SECOND), ("hirschberg-sinclair", 5 * SECOND))
        for case in cases_of(
            REGISTRY[name],
            (BOOT, leader_crash(at=SECOND), leader_return(at=SECOND, away=2 * SECOND)),
            bound=bound,
            seeds=(1,),
        )
    ),
)

# An algorithm without a line above has ten seconds, and a leader after one at the latest.
CASES = (
    *_STATED,
    *(
        case
        for name in sorted(REGISTRY.built_in.keys() - {case.registration.name for case in _STATED})
        for case in cases_of(
            REGISTRY[name],
            (BOOT, leader_crash(at=SECOND), leader_return(at=SECOND, away=SECOND)),
            bound=10 * SECOND,
            seeds=(1,),
            **({"network": _STREAMS} if REGISTRY[name].requires_connections else {}),
        )
    ),
)
