"""A server of an ensemble that serves clients' registers from its history. Trials of the ensemble with clients run it.

Hunt et al. 2010, section 4: each server answers reads from its own state, which may be behind the leader's. It forwards
writes to the leader, and answers a write once it has applied the committed transaction itself. A server that does not
serve closes the connections of its clients: what they were waiting for is lost to them, and what they ask is refused,
except reads in read-only mode (ZOOKEEPER-784).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.algorithms.zookeeper.messages import Zxid
from simulator.algorithms.zookeeper.replica import Replica, ReplicaServer
from simulator.algorithms.zookeeper.server import Server
from simulator.clients.messages import Command, Operation, Reply, Request, Status
from simulator.clients.sureness import Sureness
from simulator.protocol import Message, NodeId, message


@message
class WriteRegister:
    """The transaction of a client's write, and the server that answers the client."""

    command: Command
    server: NodeId
    size: int

    @property
    def wire_bytes(self) -> int:
        """Its size in a message, as that of a `Write`: who has asked for it is part of the command."""
        return self.size


class Registers(Replica):
    """The value of each key, and the clients' writes that this server has to answer."""

    def __init__(self, server: ReplicaServer, durable: Mapping[str, Any]) -> None:
        super().__init__(server, durable)
        self.values: dict[int, int] = {}
        self.applied = 0  # How many transactions, which is the index of the last one.
        self.token: int | None = None  # Its epoch.
        self.sureness = Sureness(server.host)
        self.writes: dict[tuple[NodeId, int], Request] = {}  # By client, and the number of its request.

    def view(self) -> Mapping[str, object]:
        return {"registers": dict(self.values)}

    # --- Clients

    def on_register_request(self, client: NodeId, request: Request) -> None:
        """Answer a read, or have the ensemble commit a write."""
        if self.server.serving and request.operation is Operation.READ:
            self._read(client, request, stale=False)
        elif self.sureness.allows_stale_read(request):
            self._read(client, request, stale=True)
        elif not self.server.serving:
            self._answer(client, request, Status.REFUSED)
        else:
            self.writes[client, request.number] = request
            command = Command(client, request.number, request.key, request.value)
            self.server.forward(WriteRegister(command, self.server.host.me, request.size))

    def led(self) -> None:
        self.sureness.regain()

    def followed(self) -> None:
        self.sureness.regain()

    def unserving(self) -> None:
        self.sureness.lose("no-leader")
        writes, self.writes = self.writes, {}
        for (client, _), request in writes.items():
            self._answer(client, request, Status.LOST)

    # --- The ensemble

    def on_request(self, learner: NodeId, request: Message) -> None:
        self.server.propose(request)

    def apply(self, zxid: Zxid, transaction: Message) -> None:
        self.applied += 1
        self.token = zxid.epoch
        if not isinstance(transaction, WriteRegister):
            return
        command = transaction.command
        self.values[command.key] = command.value
        if self.server.leading:
            self.server.host.note("wrote", **command._asdict(), token=zxid.epoch, log_index=self.applied)
        if transaction.server == self.server.host.me:
            request = self.writes.pop((command.client, command.number), None)
            if request is not None:
                self._answer(command.client, request, Status.DONE, token=zxid.epoch, log_index=self.applied)

    def snapshot(self) -> object:
        return self.applied, self.token, tuple(self.values.items())

    def restore(self, snapshot: Any) -> None:
        self.applied, self.token, values = snapshot or (0, None, ())
        self.values = dict(values)

    def _read(self, client: NodeId, request: Request, *, stale: bool) -> None:
        value, state = self.values.get(request.key, 0), {"token": self.token, "log_index": self.applied}
        self._answer(client, request, Status.DONE, value=value, stale=stale, **state)

    def _answer(self, client: NodeId, request: Request, status: Status, **result: Any) -> None:
        self.server.host.answer(client, Reply(request.number, request.attempt, status, **result))


class RegisterServer(Server):
    """A server with registers, and with clients."""

    replica_type = Registers
    replica: Registers

    def on_start(self) -> None:
        self.replica.sureness.lose("no-leader")
        super().on_start()

    def on_request(self, client: NodeId, request: Request) -> None:
        self.replica.on_register_request(client, request)
