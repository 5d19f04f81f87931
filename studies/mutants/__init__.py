"""How many random changes of the code do the tests notice? `make mutants`, some two hours on one core.

400 mutants are drawn, 100 from each of algorithms, checks, metrics and cluster. The tests that reach the changed line
run against each. docs/mutants.md has the score and what became of every mutant that survived.
"""
