"""Rules of ZooKeeper that the suite did not hold: mutants of them survived it (issue 12, C7)."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.algorithms.zookeeper.client_messages import ConnectRequest, ConnectResponse
from simulator.algorithms.zookeeper.config import EnsembleConfig
from simulator.algorithms.zookeeper.messages import NOTHING, Notification, State
from simulator.algorithms.zookeeper.registration import ENSEMBLE
from simulator.algorithms.zookeeper.tree import DataTree
from simulator.protocol import MILLISECOND as MS
from simulator.protocol import NodeId
from simulator.testing.bench import InteractionBench
from tests.algorithms.zookeeper.agreed import Scene


def votes_of(bench: InteractionBench, sender: NodeId, to: NodeId) -> Sequence[Notification]:
    """The votes that one server has sent to another."""
    sent = [envelope.message for envelope in bench.sent if (envelope.sender, envelope.to) == (sender, to)]
    return [message for message in sent if isinstance(message, Notification)]


def test_a_server_that_joins_an_established_quorum_takes_over_its_clock() -> None:
    """FastLeaderElection.java, receivedFollowingNotification: where a quorum follows a leader of another election,
    `logicalclock.set(n.electionEpoch)`.

    n1, in its first election, joins n3, whom n2 follows since the seventh. What it tells others from then on is of the
    seventh election, and its own next election is the eighth. Were it the second, servers that look in the eighth
    would ignore its vote.
    """
    bench = InteractionBench(ENSEMBLE, 3, config=EnsembleConfig(hand_over=0, notification_time=(0, 0, 0)))
    for sender, state in ((2, State.FOLLOWING), (3, State.LEADING)):
        vote = Notification(leader=3, zxid=NOTHING, peer_epoch=0, election_epoch=7, state=state)
        bench.deliver(bench.inject(sender, 1, vote))
    asks = Notification(leader=2, zxid=NOTHING, peer_epoch=0, election_epoch=1)
    bench.deliver(bench.inject(2, 1, asks))
    answer = votes_of(bench, 1, 2)[-1]
    assert (answer.state, answer.leader, answer.election_epoch) == (State.FOLLOWING, 3, 7)
    while votes_of(bench, 1, 2)[-1].state != State.LOOKING:  # Its leader does not answer, and it looks for another.
        assert bench.fire_next()
        bench.in_flight.clear()
    assert votes_of(bench, 1, 2)[-1].election_epoch == 8


def test_a_response_to_an_attempt_that_was_given_up_opens_no_session() -> None:
    """ClientCnxn.java, SendThread: an attempt that times out ends with its socket (`cleanup`), so that whatever the
    server has answered there is never read.

    The client gives up each server in turn and comes back to the first, whose answer to the first attempt comes then.
    Were it taken, the client would believe in a session of a connection that the server has closed.
    """
    bench = Scene(1, servers=3, reconnect_delay=(0, 0))
    client = bench.candidate(1).client
    first = bench.server_of(1)
    while True:  # No attempt reaches its server, until the client asks the first again.
        bench.in_flight.clear()
        assert bench.fire_next()
        asked = [(sent.to, sent.message) for sent in bench.sent if isinstance(sent.message, ConnectRequest)]
        if len(asked) == 4:
            break
    assert [to for to, _ in asked].count(first) == 2 and bench.server_of(1) == first
    stale, current = (message.connection for to, message in asked if to == first)
    bench.in_flight.clear()
    bench.deliver(bench.inject(first, 1, ConnectResponse(stale, 99, 100 * MS)))
    assert (client.connected, client.session) == (False, None)
    bench.deliver(bench.inject(first, 1, ConnectResponse(current, 99, 100 * MS)))
    assert (client.connected, client.session) == (True, 99)


class Deaf:
    """Listens to no change of the tree."""

    def on_created(self, path: str) -> None:
        pass

    def on_deleted(self, path: str) -> None:
        pass


def test_a_sequence_number_counts_all_children_that_were_ever_created() -> None:
    """PrepRequestProcessor.java, pRequest2TxnCreate: the number is `parentRecord.stat.getCversion()`, which each create
    raises by one, sequential or not, and no delete takes back.
    """
    tree = DataTree(Deaf())
    tree.create("/election")
    tree.create("/election/announcement")
    assert tree.create("/election/n_", sequential=True) == "/election/n_0000000001"
    tree.delete("/election/announcement")
    assert tree.create("/election/n_", sequential=True) == "/election/n_0000000002"
    tree.create("/election/announcement")
    restored = DataTree(Deaf())
    restored.restore(tree.snapshot())
    for copy in (tree, restored):
        assert copy.create("/election/n_", sequential=True) == "/election/n_0000000004"
