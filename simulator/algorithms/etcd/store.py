"""The state machine of a member: its keys, and which leases exist (server/etcdserver/apply, server/lease).

The log grants and revokes leases. So every member knows a lease, its time to live and its keys. When it expires, only
the leader knows (`lessor`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.algorithms.coordination.state_machine import StateMachine
from simulator.algorithms.etcd.keys import Keys, KeyValue
from simulator.algorithms.etcd.messages import (
    Delete,
    Get,
    LeaseGrant,
    LeaseId,
    LeaseRevoke,
    Operation,
    Put,
    Range,
    Result,
    Transaction,
)
from simulator.protocol import Message


@dataclass(slots=True)
class GrantedLease:
    """A lease that exists: its time to live after each renewal, in seconds, and the keys that end with it."""

    ttl_s: int
    keys: dict[str, None] = field(default_factory=dict)


class Store(StateMachine):
    """Keys and leases. `least_ttl_s`: a shorter time to live is raised to this one."""

    def __init__(self, least_ttl_s: int) -> None:
        self.keys = Keys()
        self.leases: dict[LeaseId, GrantedLease] = {}
        self._least_ttl_s = least_ttl_s

    def apply(self, number: int, command: Message) -> Result:
        """Apply a request of the log. The number of a lease is that of the entry that grants it.

        (etcd numbers a lease by member, time and counter. Both are unique, which is sufficient.)
        """
        if isinstance(command, Transaction):
            return self._transact(command)
        if isinstance(command, LeaseGrant):
            lease = self.leases[number] = GrantedLease(max(command.ttl_s, self._least_ttl_s))
            return Result(self.keys.revision, lease=number, ttl_s=lease.ttl_s)
        assert isinstance(command, LeaseRevoke)
        return self._revoke(command.lease)

    def read(self, request: Range) -> Result:
        """Read one key under a prefix, as the request says."""
        if request.exact:
            return Result(self.keys.revision, kv=self.keys.get(request.prefix))
        most = request.max_create_revision
        found = [kv for kv in self.keys.under(request.prefix) if most is None or kv.create_revision <= most]
        kv = (found[-1] if request.newest else found[0]) if found else None
        return Result(self.keys.revision, kv=kv)

    def _transact(self, transaction: Transaction) -> Result:
        """All operations of a transaction happen at one revision, which is a new one if they change anything.

        A transaction that attaches a key to a lease that does not exist changes nothing, and fails.
        """
        succeeded = all(self._created(compare.key) == compare.create_revision for compare in transaction.compares)
        operations = transaction.success if succeeded else transaction.failure
        if any(isinstance(part, Put) and part.lease and part.lease not in self.leases for part in operations):
            return Result(self.keys.revision, succeeded=False, error="requested lease not found")
        revision, events = self.keys.revision + 1, len(self.keys.events)
        kv = None
        for part in operations:
            kv = self._carry_out(part, revision)
        if len(self.keys.events) > events:
            self.keys.revision = revision
        return Result(self.keys.revision, succeeded, kv)

    def _created(self, key: str) -> int:
        kv = self.keys.get(key)
        return 0 if kv is None else kv.create_revision

    def _carry_out(self, part: Operation, revision: int) -> KeyValue | None:
        if isinstance(part, Get):
            return self.keys.get(part.key)
        before = self.keys.get(part.key)
        if before is not None and before.lease in self.leases:
            self.leases[before.lease].keys.pop(part.key, None)
        if isinstance(part, Delete):
            return self.keys.delete(part.key, revision)
        if part.lease:
            self.leases[part.lease].keys[part.key] = None
        self.keys.put(part.key, part.value, part.lease, revision)
        return self.keys.get(part.key)

    def _revoke(self, lease: LeaseId) -> Result:
        """End a lease. Its keys are deleted in their order, at one revision."""
        revoked = self.leases.pop(lease, None)
        if revoked is None:
            return Result(self.keys.revision, succeeded=False, error="requested lease not found")
        for key in sorted(revoked.keys):
            self.keys.delete(key, self.keys.revision + 1)
        self.keys.revision += bool(revoked.keys)
        return Result(self.keys.revision, lease=lease)
