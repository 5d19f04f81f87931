"""The safety net of the rebuild (issue 12, section A): what the simulator computed before, and must compute after.

The values under `kept/` were recorded from the code of commit 8e0ce0a, before anything was renamed or moved. A
difference is a change in behaviour. The rebuild (0.3.0) changed none. If a later change is meant, `record` keeps the
new values of the families and scenarios that it names; else the change is found and taken back.

What is kept
    kept/shipped.json        of each shipped scenario, those of scenarios/ci included: the digests of its first 20
                             trials with its own seed
    kept/hundreds.json       of each registered algorithm, and of some with further options (`schedules`): 2000 random
                             schedules, drawn by the nemesis from seeds 1 to 2000; one SHA-256 per hundred seeds
    kept/singles.json        of the same families, the digests of 20 single seeds, for the fast suite
    kept/summaries.json      the JSON of each shipped scenario's summary, of those 20 trials
    Each digest is kept twice: of the trace, and of the measures, which are the rows that the trial adds to the tables
    and the violations that the checks found. If only the measures differ, look in `metrics` and `checks`.

How it is checked
    pytest tests/safety_net -m "not verify"   the fast extract: 20 schedules of each family, two trials of each scenario
    pytest tests/safety_net -m verify         all of it, over all cores (also: make verify)

When you rename
    A name that reaches a trace or a result (the type of a row, a key of its detail, a message, a group, a column, a key
    of a summary, a text such as the reason of a skipped fault) is entered in `renamed`, new name to old one. The net
    then translates what the code says now into the old words, and compares that. `Trace.digest` may change once.
    What is added on purpose, such as a new column, is entered in `renamed.ADDED` and left out of the comparison.
    Names of random streams are no names of this kind: a renamed stream draws other numbers, and the net must fail.
    Only `drive` imports from `simulator`, so that a moved module is a change of that file alone.

When it fails
    python -m tests.safety_net.show raft-options 7 > new.txt
    The same in a work tree of commit 8e0ce0a, with this folder in it; then `diff` shows the first row that differs.

What it catches was tried with mutants of commit 8e0ce0a, by the 20 single schedules of a family:
    Another draw of the swarm, a renamed random stream: all 20 schedules of every family. A disk that stays slow, a
    clock that stays skewed, a leader that is rechecked late after a pause: 1 to 4 of 20 of most algorithms.
    Raft: match_index outliving a leadership 1, is_transfer never taken back 12, a leader of the last term counted as
    heard 8, TimeoutNow before the log is there 14, a repeated grant that resets no timer 4, commitment of entries of
    earlier terms by counting 11, a duplicate refusal counted 3, a retry timer that outlives the candidacy 5,
    64 entries in one message made 8: 20.

The net does not compare the texts of violations (only their guarantee, instant and nodes) and the bytes that single
rows carry (only their sums, in the measures and in the summaries).
"""
