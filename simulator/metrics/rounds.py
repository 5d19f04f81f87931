"""The rounds of elections: the candidates and the winner of each. Definitions: docs/metrics.md."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from simulator.protocol import Nanoseconds, NodeId


@dataclass(slots=True)
class Round:
    """One term with at least one candidate. Without terms, each candidacy is a round of its own."""

    term: int  # 0 without terms.
    began_ns: Nanoseconds  # The start of the first candidacy.
    candidates: set[NodeId] = field(default_factory=set)
    winner: NodeId | None = None
    undecided: bool = False  # The round was still going on when the trial ended.

    @property
    def failed(self) -> bool:
        """It ended without a winner, whatever the cause."""
        return self.winner is None and not self.undecided

    @property
    def outcome(self) -> str:
        """`won`, `split`, `failed` otherwise, or `undecided`; without terms, `superseded` by another node's claim."""
        if self.undecided:
            return "undecided"
        if self.winner is None:
            return "split" if self.split else "failed"
        return "won" if self.term or self.winner in self.candidates else "superseded"

    @property
    def split(self) -> bool:
        """The round failed with two or more candidates: none of them reached a quorum."""
        return self.failed and len(self.candidates) > 1


class Rounds:
    """The rounds of one group, as candidates stand and leaders claim."""

    def __init__(self) -> None:
        self.by_key: dict[Hashable, Round] = {}
        self.campaigning: dict[NodeId, Hashable] = {}  # The round in which each candidate campaigns now.
        self._candidacies = 0

    def campaign(self, node: NodeId, term: int, time_ns: Nanoseconds) -> Hashable:
        """A node becomes a candidate in the round of a term. Returns the key of the round."""
        self._candidacies += 1
        key: Hashable = term or ("candidacy", self._candidacies)
        self.by_key.setdefault(key, Round(term, time_ns)).candidates.add(node)
        self.campaigning[node] = key
        return key

    def withdraw(self, node: NodeId) -> None:
        """A node campaigns no more."""
        self.campaigning.pop(node, None)

    def began_ns(self, node: NodeId) -> Nanoseconds | None:
        """The start of the round in which a node campaigns; None if it does not campaign."""
        key = self.campaigning.get(node)
        return None if key is None else self.by_key[key].began_ns

    def win(self, node: NodeId, term: int) -> None:
        """The round of that term is won; without terms, every round that goes on is over with the claim."""
        for key in (term,) if term else tuple(self.campaigning.values()):
            if key in self.by_key:
                self.by_key[key].winner = node
        self.campaigning.pop(node, None)

    def undecided(self) -> list[Hashable]:
        """The rounds with a candidate that still campaigns and without a winner, each once."""
        campaigning = dict.fromkeys(self.campaigning.values())
        return [key for key in campaigning if self.by_key[key].winner is None]

    def finish(self) -> None:
        """The trial ends: rounds that still go on are undecided."""
        for key in self.undecided():
            self.by_key[key].undecided = True

    def of(self, keys: Iterable[Hashable]) -> list[Round]:
        """The rounds with these keys, in their order."""
        return [self.by_key[key] for key in keys]
