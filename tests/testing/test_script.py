"""Scripts: what a writer of scenes relies on (issue 2, part 2, and `simulator.testing.script`)."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from simulator.algorithms.registry import REGISTRY as RAFT
from simulator.protocol import MILLISECOND
from simulator.testing import InteractionError, ScriptError, Session, replay
from tests.testing.echo import ECHO

pytest_plugins = ["pytester"]
REGISTRY = {"echo": ECHO}
CLUSTER = "cluster echo 2"


def run(*commands: str) -> list[str]:
    """The answers of the last command."""
    session = Session(REGISTRY)
    answers = [session.run(command) for command in (CLUSTER, *commands)]
    return answers[-1]


def test_a_right_script_comes_back_unchanged_and_a_wrong_answer_is_replaced() -> None:
    """`--rewrite` must keep all that is the writer's, comments and empty lines included, and change answers only."""
    right = dedent("""\
        # What it is about.
        cluster echo 2
        ----

        # Why.

        inject 1->2 Do(things=('say a',))
        ----
        2->1 Said(what='a')

        inflight
        ----
        2->1 Said(what='a')
        """)
    assert replay(right, registry=REGISTRY) == right
    assert replay(right.replace("2->1 Said(what='a')\n\n", "\n"), registry=REGISTRY) == right
    assert replay(right.replace("2->1 Said(what='a')\n\n", "2->1 Said(what='b')\nmore\n\n"), registry=REGISTRY) == right


def test_commands_above_one_separator_answer_together() -> None:
    text = "cluster echo 2\ninject 1->2 Do(things=('say a',))\ninject 1->1 Do(things=('say b',))\n----\n"
    assert replay(text, registry=REGISTRY) == text + "2->1 Said(what='a')\n1->1 Said(what='b')\n"


def test_options_replace_those_of_the_dialect() -> None:
    """A scenario lets them do so, too (issue 4, "presets of explicit options"): one tick for ten to nineteen."""
    session = Session(RAFT)
    session.run("cluster raft 3 dialect=etcd election_timeout=[100ms,100ms]")
    config = session.bench.config
    assert (config.election_timeout, config.tick) == ((100 * MILLISECOND, 100 * MILLISECOND), 100 * MILLISECOND)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# x\nclustr raft 3\n----\n", r"^here:2: unknown command 'clustr'; there are: cluster, timeout, "),
        ("timeout 1\n----\n", r"^here:1: there is no cluster yet"),
        ("cluster paxos 3\n----\n", r"^here:1: unknown algorithm 'paxos'; there are: bully"),
        ("cluster raft 3 dialect=zab\n----\n", r"^here:1: raft has no dialect 'zab'; there are: paper, "),
        ("cluster raft\n----\n", r"^here:1: usage: cluster ALGORITHM NODES"),
        ("cluster raft 0\n----\n", r"^here:1: a cluster needs at least 1 node, not 0"),
        ("cluster raft three\n----\n", r"^here:1: 'three' is not a whole number"),
        (
            "cluster raft 3 heartbeat=1ms\n----\n",
            r"^here:1: raft has no option 'heartbeat'; it has: election_",
        ),
        ("cluster raft 3 heartbeat_interval=0ms\n----\n", r"^here:1: .*heartbeat_interval: must be positive"),
        ("cluster raft 3 election_timeout=1ms\n----\n", r"^here:1: .*cannot unpack"),
        ("cluster raft 3 logs=1,2\n----\n", r"^here:1: 2 logs for 3 nodes"),
        ("cluster raft 3\ncluster raft 3\n----\n", r"^here:2: there is a cluster already"),
        ("cluster raft 3\n----\n\ntimeout 4\n----\n", r"^here:4: there is no node 4; the cluster has 3"),
        ("cluster raft 3\nfire 1 heartbeat\n----\n", r"^here:2: node 1 has no timer 'heartbeat'; set are: election"),
        ("cluster raft 3\ndeliver\n----\n", r"^here:2: nothing is in flight"),
        ("cluster raft 3\ndrop 1->2\n----\n", r"^here:2: nothing like '1->2' is in flight"),
        ("cluster raft 3\ndrop 1->4\n----\n", r"^here:2: there is no node 4"),
        ("cluster raft 3\ntimeout 1\ndeliver 1->2 2\n----\n", r"^here:3: only 1 in flight, not 2"),
        ("cluster raft 3\ntimeout 1\ndeliver 1->2 #2\n----\n", r"^here:3: nothing like '1->2 #2' is in flight"),
        ("cluster raft 3\ninject 1-> AppendEntries(term=1)\n----\n", r"^here:2: usage: inject FROM->TO MESSAGE"),
        (
            "cluster raft 3\ninject 1->2 Vote(term=1)\n----\n",
            r"^here:2: unknown message 'Vote'; there are: Req",
        ),
        ("cluster raft 3\ninject 1->2 AppendEntries()\n----\n", r"^here:2: AppendEntries\(\): .*missing 1 required"),
        (
            "cluster raft 3\ninject 1->2 AppendEntries(t=1)\n----\n",
            r"^here:2: AppendEntries has no field 't'; it ",
        ),
        ("cluster raft 3\nstore 1 term=2\n----\n", r"^here:2: node 1 is running: crash it first"),
        ("cluster raft 3\ncrash 1\nstore 1 term\n----\n", r"^here:3: 'term' is not of the form name=value"),
        ("cluster raft 3\nsync 1\n----\n", r"^here:2: node 1 waits for 0 writes"),
        ("cluster raft 3\ndisk 1 lazy\n----\n", r"^here:2: usage: disk NODE slow\|fast"),
        ("cluster raft 3\ndisconnect 1 2 gone\n----\n", r"^here:2: usage: disconnect NODE PEER refused\|closed\|"),
        ("cluster raft 3\nconnect 1 4\n----\n", r"^here:2: there is no node 4"),
        ("cluster raft 3\nadvance 3 ms\n----\n", r"^here:2: '3 ms' is not a duration like 150ms"),
        ("cluster raft 3\nsettle now\n----\n", r"^here:2: this command takes no argument, but has 'now'"),
        ("cluster raft 3\n\n----\n", r"^here:1: no ---- below this command"),
        ("cluster raft 3\n", r"^here:1: no ---- below this command"),
        ("----\n", r"^here:1: no command above ----"),
        ("cluster raft 3\n----\nanswer\n# a comment\n", r"^here:4: a comment in an answer: leave an empty line"),
    ],
)
def test_a_script_that_cannot_be_run_names_its_line(text: str, complaint: str) -> None:
    """Brief of the bench: unknown command, node or message is "a clear error with file:line"."""
    with pytest.raises(ScriptError, match=complaint):
        replay(text, "here")


@pytest.mark.parametrize(
    "text",
    [
        "Do(things=__import__('os').getcwd())",
        "__import__('os').getcwd()",
        "Do(('a',))",
        "Do(**{'things': ()})",
        "Do",
        "Do(things=(",
        "Do(things=())\nDo(things=())",
    ],
)
def test_message_text_is_never_evaluated(text: str) -> None:
    """Scripts come from files: a message is a name and plain values, and nothing else."""
    with pytest.raises(InteractionError, match="is not a message like"):
        run(f"inject 1->2 {text}")


def test_an_algorithm_that_fails_says_on_which_line() -> None:
    """An algorithm's own exception is not swallowed: its traceback is what the implementer needs."""
    with pytest.raises(RuntimeError, match="told to fail") as caught:
        replay(f"{CLUSTER}\n----\n\ninject 1->2 Do(things=('fail',))\n----\n", "here", REGISTRY)
    assert caught.value.__notes__ == ["here:4: inject 1->2 Do(things=('fail',))"]


def test_selecting_messages() -> None:
    """The words that `deliver`, `drop` and `duplicate` share."""
    said = "inject 1->2 Do(things=('say a', 'say b', 'say a'))"
    other = "inject 1->1 Do(things=('say c',))"
    a, b, c = "2->1 Said(what='a')", "2->1 Said(what='b')", "1->1 Said(what='c')"
    assert run(said, other, "inflight") == [a, b, a, c]
    assert run(said, other, "drop 2->1", "inflight") == [c]
    assert run(said, other, "drop 2->", "inflight") == [c]
    assert run(said, other, "drop 2->1 2", "inflight") == [a, c]
    assert run(said, other, "drop 2->1 #2", "inflight") == [a, a, c]
    assert run(said, other, "drop 2->1 Said(what='a')", "inflight") == [b, c]
    assert run(said, other, "drop Said(what='c')", "inflight") == [a, b, a]
    assert run(said, other, "drop ->1 Said", "inflight") == []
    assert run(said, other, "drop 1", "inflight") == [b, a, c]
    assert run(said, other, "duplicate 2->1 #2", "inflight") == [a, b, a, c, b]


def test_state_timers_and_held_messages_are_shown() -> None:
    """What a writer of scenes can ask: role, term and leader; the disk; timers; and what waits for a write."""
    todo = "inject 1->2 Do(things=('save 3', 'say a', 'set alarm 1500', 'set bell 20'))"
    assert run("disk 2 slow", todo, "inflight") == ["held 2->1 Said(what='a')"]
    assert run("disk 2 slow", todo, "sync 2", "state") == [
        "1 follower term 0 (disk: empty)",
        "2 follower term 0 (disk: value=3)",
    ]
    assert run("crash 1", "store 1 value=4", "state 1") == ["1 down (disk: value=4)"]
    assert run("crash 1", "store 1 value=4", "restart 1") == ["1 follower term 4"]
    assert run(todo, "advance 20ms", "timers") == ["2 alarm in 1480ms"]
    assert run(todo, "timers 2") == ["2 alarm in 1500ms", "2 bell in 20ms"]


def test_rewrite_accepts_a_changed_answer_and_names_the_file(pytester: pytest.Pytester) -> None:
    """Issue 2, part 2: "`--rewrite` to accept a changed answer"; the run still tells which files changed."""
    tests = Path(__file__).parents[1]
    pytester.makepyfile(conftest=(tests / "conftest.py").read_text(encoding="utf-8"))
    suite = pytester.mkdir("algorithms") / "test_scripts.py"
    suite.write_text((tests / "algorithms" / "test_scripts.py").read_text(encoding="utf-8"), encoding="utf-8")
    scene = pytester.mkdir("scripts") / "scene.txt"
    right = "# By section 5.2.\ncluster raft 2\n----\n\ntimeout 1\n----\n1->2 RequestVote(term=1)\n1 candidate term 1\n"
    scene.write_text(right.replace("candidate", "leader"))
    only = ("-p", "no:cacheprovider", "-k", "test_scene")
    pytester.runpytest(*only).assert_outcomes(failed=1, passed=1, deselected=1)
    assert scene.read_text() != right
    rewriting = pytester.runpytest(*only, "--rewrite")
    rewriting.assert_outcomes(passed=2, deselected=1)
    rewriting.stdout.fnmatch_lines(["*rewritten scripts*", "*scene.txt"])
    assert scene.read_text() == right
    again = pytester.runpytest(*only, "--rewrite")
    assert "rewritten scripts" not in again.stdout.str()
