"""The interaction bench: a host for tests, on which an algorithm is driven by hand, by scripts or by Hypothesis.

An algorithm of your own runs on the bench with a `Registration`:

    mine = Registration(name="mine", algorithm=MyAlgorithm, config=MyConfig)
    bench = InteractionBench(mine, nodes=3)
    bench.node(1).fire("election")
    bench.settle()

and in scripts with `replay(text, registry={"mine": mine})`. `check_contract(mine)` checks that its state can be copied
and compared."""

from simulator.testing.bench import Envelope, InteractionBench
from simulator.testing.commands import COMMANDS, Session
from simulator.testing.contract import check_contract
from simulator.testing.errors import InteractionError
from simulator.testing.node import BenchNode, Note, Timer, Transition, Write
from simulator.testing.script import ScriptError, replay, replay_file
from simulator.testing.state import check_state, check_view, copy_state, state_difference

__all__ = [
    "COMMANDS",
    "BenchNode",
    "Envelope",
    "InteractionBench",
    "InteractionError",
    "Note",
    "ScriptError",
    "Session",
    "Timer",
    "Transition",
    "Write",
    "check_contract",
    "check_state",
    "check_view",
    "copy_state",
    "replay",
    "replay_file",
    "state_difference",
]
