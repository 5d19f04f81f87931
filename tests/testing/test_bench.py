"""The bench is a `Host` as design.md, section 3, has it: each test names the clause that it checks."""

from __future__ import annotations

import pytest

from simulator.algorithms.registry import REGISTRY
from simulator.protocol import MILLISECOND
from simulator.testing import InteractionBench, InteractionError
from tests.testing.echo import Basket, Do, Said, bench_of, said, tell


def test_what_leaves_leaves_in_order_and_after_the_writes_ahead_of_it() -> None:
    """ "What leaves a node leaves in the order sent, and no message leaves before every save requested ahead of it"."""
    bench = bench_of()
    node = bench.node(2)
    node.set_disk(slow=True)
    assert tell(bench, 2, "say a", "save 1", "say b", "say c", "save 2", "say d") == ["a"]
    assert tell(bench, 2, "say e") == []
    assert node.durable == {}
    node.sync(1)
    assert said(bench) == ["a", "b", "c"]
    assert node.durable == {"value": 1}
    node.sync(1)  # What the first write's end led to was said after the second was asked for.
    assert said(bench) == ["a", "b", "c", "d", "e", "saved 1", "saved 2"]
    assert node.durable == {"value": 2}


def test_an_unordered_message_may_pass() -> None:
    """ "`ordered=False` lets a message that promises nothing (a heartbeat) pass"."""
    bench = bench_of()
    bench.node(2).set_disk(slow=True)
    assert tell(bench, 2, "save 1", "say later", "shout now") == ["now"]
    assert [message.what for _, message in bench.node(2).held] == ["later"]


def test_a_write_is_told_of_after_the_step_that_asked_for_it() -> None:
    """On a disk that takes no time, too, `on_saved` is an input of its own, never a call inside a step."""
    assert tell(bench_of(), 2, "save 1", "say a", "save 2", "say b") == ["a", "b", "saved 1", "saved 2"]


def test_a_disk_that_turns_fast_first_finishes_what_it_has() -> None:
    """Writes reach the disk in the order requested: a later value must not be overwritten by an earlier one."""
    bench = bench_of()
    bench.node(2).set_disk(slow=True)
    tell(bench, 2, "save 1", "save 2", "say a")
    bench.node(2).set_disk(slow=False)
    assert bench.node(2).durable == {"value": 2}
    assert said(bench) == ["a", "saved 1", "saved 2"]  # "saved 1" was said while the second write was on its way.


@pytest.mark.parametrize("value", [[1], {"a": 1}, (1, [2])])
def test_saved_values_are_immutable(value: object) -> None:
    """ "Saved values are frozen": one that could change after the write would not be the one on disk."""
    with pytest.raises(InteractionError, match=r"save\(value=.*must be immutable"):
        bench_of().node(1).save(value=value)


def test_a_crash_throws_everything_away_but_the_disk() -> None:
    """ "A crash throws the object away; a restart builds a new one from what it saved. Nothing else survives."."""
    bench = bench_of()
    node = bench.node(2)
    tell(bench, 2, "save 7", "set alarm 5")
    node.set_disk(slow=True)
    tell(bench, 2, "save 8", "say never")
    before, first = said(bench), node.algorithm
    node.crash()
    assert (node.running, node.timers, node.held, node.writes) == (False, {}, [], [])
    bench.advance(10 * MILLISECOND)
    node.start()
    assert node.algorithm is not first
    assert node.declared is not None
    assert (node.declared.term, node.declared.incarnation) == (7, 1)
    assert said(bench) == before


def test_a_message_to_a_node_that_is_down_is_lost_and_one_on_its_way_meets_the_next_incarnation() -> None:
    """A datagram knows nothing of incarnations."""
    bench = bench_of()
    early, late = bench.inject(1, 2, Do(("say early",))), bench.inject(1, 2, Do(("say late",)))
    bench.node(2).crash()
    bench.deliver(early)
    bench.node(2).start()
    bench.deliver(late)
    assert said(bench) == ["late"]


def test_timers_have_names_deadlines_and_an_order() -> None:
    """A timer replaces a pending one of its name; "two things due at one instant happen in the order … scheduled"."""
    bench = bench_of()
    tell(bench, 2, "set a 9", "set b 5", "set gone 1", "cancel gone")
    tell(bench, 1, "set c 5")
    tell(bench, 2, "set a 5", "set d 6", "set d 7", "cancel unknown")
    bench.advance(4 * MILLISECOND)
    assert said(bench) == []
    bench.advance(2 * MILLISECOND)
    assert said(bench) == ["b of 2 at 5", "c of 1 at 5", "a of 2 at 5"]
    bench.node(2).fire("d")
    assert said(bench)[3:] == ["d of 2 at 6"]
    assert not bench.node(2).timers
    with pytest.raises(InteractionError, match=r"node 2 has no timer 'd'; set are: none"):
        bench.node(2).fire("d")


@pytest.mark.parametrize("delay", [-1, 1.5, True])
def test_a_delay_is_a_whole_number_of_nanoseconds(delay: int) -> None:
    """ "Time is an integer count of nanoseconds everywhere inside"."""
    with pytest.raises(InteractionError, match="is not a whole number of nanoseconds"):
        bench_of().node(1).set_timer("a", delay)


def test_the_same_seed_draws_the_same_and_each_node_has_a_stream_of_its_own() -> None:
    """`Host.random`: "this node's own stream"; a script must answer the same on every run."""
    one, same, other = bench_of(seed=3), bench_of(seed=3), bench_of(seed=4)
    drawn = [tell(one, node, "draw") for node in (1, 2)]
    assert drawn == [tell(same, node, "draw") for node in (1, 2)]
    assert drawn[0] != drawn[1]
    assert drawn[0] != tell(other, 1, "draw")


def test_messages_move_only_when_told_to() -> None:
    """Issue 2, part 2: the bench "queues messages"; two equal messages are still two."""
    bench = bench_of()
    first = bench.inject(1, 2, Do(("say a",)))
    copy = bench.duplicate(first)
    bench.drop(first)
    assert bench.in_flight == [copy]
    assert not bench.sent
    bench.deliver(copy)
    assert said(bench) == ["a"]
    with pytest.raises(InteractionError, match="is not in flight"):
        bench.deliver(first)


def test_a_message_that_was_changed_after_it_left_is_found_out() -> None:
    """Messages are frozen "to the type checker" only (protocol.message): a shared list would carry news back."""
    bench = bench_of()
    basket = Basket([1])
    envelope = bench.inject(1, 2, basket)
    basket.items.append(2)
    with pytest.raises(InteractionError, match=r"1->2 Basket\(items=\[1\]\) was changed after it was sent"):
        bench.deliver(envelope)


def test_settling_has_a_limit() -> None:
    """A script must end: two nodes that answer each other for ever are an error, not a hang."""
    bench = bench_of()
    for node in bench.nodes.values():
        node.algorithm.receive = {Said: lambda algorithm, sender, message: algorithm.host.send(sender, message)}  # type: ignore[union-attr, misc]
    bench.inject(1, 2, Said("ping"))
    with pytest.raises(InteractionError, match="not settled after 50 deliveries"):
        bench.settle(limit=50)


def test_advancing_has_a_limit_and_a_direction() -> None:
    """A timer that comes due at once, again and again, is an error, not a hang."""
    bench = bench_of(nodes=1)
    node = bench.node(1)
    node.algorithm.on_timer = lambda name: node.set_timer(name, 0)  # type: ignore[union-attr, method-assign]
    node.set_timer("now", 0)
    with pytest.raises(InteractionError, match="more than 50 timers came due"):
        bench.advance(1, limit=50)
    with pytest.raises(InteractionError, match="cannot go back"):
        bench.advance(-1)


def test_what_is_on_disk_at_the_start() -> None:
    """Of a log of a given length the registration says what is on disk; anything else can be put there by name."""
    bench = InteractionBench(REGISTRY["raft"], 2, logs=[3, 0], durable={2: {"term": 4}})
    assert bench.node(1).durable == {"term": 1, "last_log": (1, 3)}
    assert bench.node(2).durable == {"term": 4, "last_log": (1, 0)}
    with pytest.raises(InteractionError, match="3 logs for 2 nodes"):
        InteractionBench(REGISTRY["raft"], 2, logs=[1, 2, 3])
    with pytest.raises(InteractionError, match="echo keeps no log"):
        bench_of(logs=[1, 2])


def test_commands_reach_the_algorithm() -> None:
    """`Algorithm.on_command`: an operator's or a client's wish is an input like any other."""
    bench = bench_of()
    bench.node(2).command(Do(("say a",)))
    assert [str(envelope) for envelope in bench.sent] == ["2->2 Said(what='a')"]


@pytest.mark.parametrize("verb", ["crash", "sync"])
def test_what_needs_a_running_node_says_so(verb: str) -> None:
    """A script that crashes a node twice has lost its thread: better told than passed over."""
    bench = bench_of()
    bench.node(2).crash()
    with pytest.raises(InteractionError, match="node 2 is down"):
        getattr(bench.node(2), verb)()
    with pytest.raises(InteractionError, match="node 1 is running already"):
        bench.node(1).start()
