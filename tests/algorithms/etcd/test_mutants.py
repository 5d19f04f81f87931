"""Deliberate faults in the rules of etcd and its clients: a test of each rule finds its fault (issue 16, "mutants")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulator.algorithms.etcd import session
from simulator.algorithms.etcd.lessor import Lessor
from simulator.algorithms.etcd.messages import Range
from simulator.algorithms.etcd.recipe import PREDECESSOR, Candidate
from simulator.algorithms.etcd.store import Store
from simulator.algorithms.etcd.watch_streams import Watcher
from simulator.algorithms.raft.membership import Membership
from simulator.algorithms.raft.node import Raft
from simulator.protocol import MILLISECOND, SECOND
from tests.algorithms.etcd import test_leases, test_members, test_recipe, test_store


def _no_extension(self: Any, granted: Any, extend_ns: int) -> int:
    """A change of leader prolongs no lease by the election timeout."""
    return self.host.monotonic() + granted.ttl_s * SECOND  # type: ignore[no-any-return]


def _watches_the_leader(self: Any) -> None:
    """Each candidate watches the first key, and so does not see its predecessor go: the herd."""
    self.client.ask(Range("election/", max_create_revision=self.created - 1), purpose=PREDECESSOR)


def _tells_nobody(self: Any) -> None:
    """The followers learn what is committed with the next heartbeat."""


def _revives(self: Any, lease: int) -> bool:
    """A renewal that comes before the revocation saves an expired lease."""
    return False


def _needs_nobody(self: Any, others: Any) -> bool:
    """A leader takes itself for one without asking a majority."""
    return True


def _takes_what_is_asked(self: Any, least_ttl_s: int) -> None:
    """A time to live below the least one is granted."""
    STORE_INIT(self, 0)


def _reports_no_deletion(self: Any, event: Any) -> bool:
    """A watch reports no deletion."""
    return not event.deleted


def _grid() -> None:
    test_leases.test_keep_alives_have_a_grid_of_half_a_second(5, 2.0)


def _line() -> None:
    test_recipe.test_the_key_that_was_created_first_leads(2)


STORE_INIT = Store.__init__
MUTANTS: list[tuple[Any, str, Any, Callable[[], None]]] = [
    (
        Lessor,
        "_after",
        _no_extension,
        test_leases.test_a_change_of_leader_prolongs_all_leases,
    ),
    (Lessor, "is_expired", _revives, test_leases.test_a_renewal_of_an_expired_lease_waits_until_it_is_revoked),
    (
        session,
        "LOOK_INTERVAL",
        10 * MILLISECOND,
        _grid,
    ),
    (Candidate, "_look_for_predecessor", _watches_the_leader, test_recipe.test_each_watches_its_predecessor_alone),
    (Raft, "send_to_all", _tells_nobody, test_members.test_a_leader_says_at_once_that_more_is_committed),
    (Membership, "is_majority", _needs_nobody, test_members.test_a_leader_without_a_majority_answers_no_read),
    (Store, "__init__", _takes_what_is_asked, test_store.test_a_short_time_to_live_is_raised_silently),
    (Watcher, "sees", _reports_no_deletion, _line),
]


@pytest.mark.parametrize(("owner", "name", "mutant", "test"), MUTANTS)
def test_each_is_found(owner: Any, name: str, mutant: Any, test: Callable[[], None], monkeypatch: Any) -> None:
    """A test that passes with the rule and without it tests something else."""
    test()
    monkeypatch.setattr(owner, name, mutant)
    with pytest.raises((AssertionError, ValueError, IndexError)):
        test()
