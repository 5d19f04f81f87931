"""Keys, transactions and leases of one member (etcd, "Data model" and "API": learning/data_model, learning/api)."""

from __future__ import annotations

from simulator.algorithms.etcd.messages import Compare, Delete, Get, LeaseGrant, LeaseRevoke, Put, Range, Transaction
from simulator.algorithms.etcd.store import Store


def put(key: str, value: str = "x", lease: int = 0) -> Transaction:
    return Transaction((), (Put(key, value, lease),))


def test_each_transaction_that_changes_something_is_a_revision() -> None:
    """ "Each atomic mutative operation ... creates a new revision": several puts of one transaction share it; a read,
    or the deletion of a key that does not exist, creates none. A new store is at revision 1."""
    store = Store(2)
    assert store.keys.revision == 1
    assert store.apply(1, Transaction((), (Put("a", "1"), Put("b", "2")))).revision == 2
    assert store.apply(2, Transaction((), (Get("a"), Delete("c")))).revision == 2
    assert store.apply(3, put("a", "3")).revision == 3
    a, b = store.keys.get("a"), store.keys.get("b")
    assert a is not None and (a.create_revision, a.mod_revision, a.version) == (2, 3, 2)
    assert b is not None and (b.create_revision, b.mod_revision, b.version) == (2, 2, 1)


def test_a_key_that_is_created_again_has_another_create_revision() -> None:
    """ "create_revision: the revision of the last creation on the key": so it is a fencing number."""
    store = Store(2)
    store.apply(1, put("a"))
    store.apply(2, Transaction((), (Delete("a"),)))
    store.apply(3, put("a"))
    a = store.keys.get("a")
    assert a is not None and (a.create_revision, a.version) == (4, 1)


def test_the_compares_of_a_transaction_choose_its_operations() -> None:
    """ "If all of the comparisons succeed, success is executed; else failure": 0 is a key that does not exist."""
    store = Store(2)
    create = Transaction((Compare("a", 0),), (Put("a", "mine"),), (Get("a"),))
    first, second = store.apply(1, create), store.apply(2, create)
    assert first.succeeded and not second.succeeded
    assert second.kv == first.kv and second.revision == first.revision == 2
    guarded = Transaction((Compare("a", 2),), (Delete("a"),))
    assert store.apply(3, guarded).succeeded and store.keys.get("a") is None
    assert not store.apply(4, guarded).succeeded


def test_the_end_of_a_lease_deletes_its_keys_at_one_revision() -> None:
    """server/lease/lessor.go, Revoke: "sort keys so deletes are in same order among all members", at one revision."""
    store = Store(2)
    assert store.apply(7, LeaseGrant(5)).lease == 7
    for number, key in enumerate(("b", "a", "c"), start=8):
        store.apply(number, put(key, lease=7))
    store.apply(11, put("c"))  # It has no lease any more.
    assert store.apply(12, LeaseRevoke(7)).revision == 6
    gone = [event for event in store.keys.events if event.deleted]
    assert [(event.kv.key, event.kv.mod_revision) for event in gone] == [("a", 6), ("b", 6)]
    assert store.keys.get("c") is not None
    assert store.apply(13, LeaseRevoke(7)).error == "requested lease not found"


def test_a_put_with_a_lease_that_does_not_exist_changes_nothing() -> None:
    """api/v3rpc, ErrLeaseNotFound; lessor.go, Attach: "If the lease does not exist, an error will be returned"."""
    store = Store(2)
    refused = store.apply(1, Transaction((), (Put("a", "1"), Put("b", "1", lease=9))))
    assert refused.error and not refused.succeeded
    assert store.keys.revision == 1 and store.keys.get("a") is None


def test_a_short_time_to_live_is_raised_silently() -> None:
    """lessor.go, Grant: "requests for shorter TTLs are extended to the minimum TTL"; the answer says so."""
    store = Store(2)
    assert [store.apply(number, LeaseGrant(ttl)).ttl_s for number, ttl in enumerate((1, 2, 3), start=1)] == [2, 2, 3]


def test_reads_find_the_first_and_the_last_key_that_was_created() -> None:
    """client/v3: WithFirstCreate and WithLastCreate, with WithMaxCreateRev (concurrency/key.go, election.go)."""
    store = Store(2)
    for number, key in enumerate(("e/b", "e/a", "x", "e/c"), start=1):
        store.apply(number, put(key))
    store.apply(5, put("e/b", "again"))  # A change does not move a key in the line.

    def found(request: Range) -> str | None:
        kv = store.read(request).kv
        return None if kv is None else kv.key

    assert found(Range("e/")) == "e/b" and found(Range("e/", newest=True)) == "e/c"
    assert found(Range("e/", newest=True, max_create_revision=4)) == "e/a"
    assert found(Range("e/", newest=True, max_create_revision=1)) is None
