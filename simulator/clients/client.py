"""One client: it sends requests, repeats them, and looks for a server that does them.

It is the same for every algorithm. Each attempt has a timeout. After an attempt that failed, the client waits (backoff)
and tries again, at the same server or at another one; only a leader that a server names is asked at once, unless the
client has asked it since it last waited. An answer to an earlier attempt of the request counts, too, if it says that
the request is done.

A connection on which an attempt has timed out stays open: other requests may be under way on it. If it was never
opened, the client gives it up, and what waits in it is not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from simulator.clients.config import ClientConfig
from simulator.clients.messages import Operation, Reply, Request, Status
from simulator.clients.server_list import ServerList
from simulator.protocol import Algorithm, Host, Nanoseconds, NodeId

NEXT, TIMEOUT, RETRY = "next", "timeout ", "retry "  # Timers; the number of a request follows the last two.
_VALUES_OF_A_CLIENT = 10**9


def value_of(client: NodeId, number: int) -> int:
    """What a client writes with the request of that number: a value that no other request of any client has."""
    return client * _VALUES_OF_A_CLIENT + number


class ClientHost(Host, Protocol):
    """What a client uses of its host: it may give up a connection, too."""

    def disconnect(self, peer: NodeId) -> None:
        """Give up the connection with a peer. What waits in it is not sent, and the peer is not told."""
        ...


@dataclass(slots=True)
class OpenRequest:
    """A request under way."""

    number: int
    operation: Operation
    key: int
    value: int
    attempt: int = 0
    server: NodeId = 0  # Of the last attempt.
    awaits_answer: bool = False
    may_be_done: bool = False  # An attempt has ended of which the client does not know whether a server did it.
    was_answered: bool = False
    asked: set[NodeId] = field(default_factory=set)  # The servers that were asked since the client last waited.


class Client(Algorithm):
    """A client in an open or a closed loop. `gaps` has the times between requests, or the pauses after them.

    `address`, if given, returns the server that a name or an address leads to at present: then the client asks no
    other. A crash ends the requests under way; the next life goes on with the numbers.
    """

    host: ClientHost

    def __init__(
        self,
        host: ClientHost,
        config: ClientConfig,
        durable: Mapping[str, Any],
        gaps: Iterator[Nanoseconds],
        address: Callable[[], NodeId] | None = None,
    ) -> None:
        super().__init__(host, config, durable)
        self.host: ClientHost = host
        self.config: ClientConfig = config
        self.servers = ServerList(config.servers, host.random)
        self.under_way: dict[int, OpenRequest] = {}
        self.connected: set[NodeId] = set()
        self._last_number: int = durable.get("last_number", 0)
        self._gaps = gaps
        self._address = address

    # --- Inputs

    def on_start(self) -> None:
        """Wait for the time of the first request."""
        self.host.set_timer(NEXT, next(self._gaps))

    def on_timer(self, name: str) -> None:
        """Send the next request, repeat one, or end an attempt that has had no answer."""
        if name == NEXT:
            self._begin()
        elif name.startswith(RETRY):
            request = self.under_way[int(name.removeprefix(RETRY))]
            request.asked.clear()
            self._try(request)
        else:
            self._on_timeout(self.under_way[int(name.removeprefix(TIMEOUT))])

    def on_connect(self, peer: NodeId) -> None:
        """What is sent to this server from now on may reach it."""
        self.connected.add(peer)

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        """End the attempts at this server. What had been sent over an open connection may be done."""
        outcome = "closed" if peer in self.connected else "unreachable"
        self.connected.discard(peer)
        for request in list(self.under_way.values()):
            if request.awaits_answer and request.server == peer:
                request.may_be_done |= outcome == "closed"
                self._end_attempt(request, outcome)
                self.servers.move_on(peer)
                self._try_later(request)

    def _on_reply(self, sender: NodeId, reply: Reply) -> None:
        request = self.under_way.get(reply.number)
        if request is None:
            return
        if reply.status is Status.DONE:
            self._finish(request, reply)
            self.servers.prefer(sender)
        elif request.awaits_answer and reply.attempt == request.attempt:
            request.was_answered = True
            request.may_be_done |= reply.status is Status.LOST
            self._end_attempt(request, reply.status.value)
            self._look_elsewhere(request, sender, reply)

    # --- A request

    def _begin(self) -> None:
        draw, config = self.host.random, self.config
        self._last_number += 1
        self.host.save(last_number=self._last_number)
        reads = config.reads > 0 and draw.random() < config.reads
        operation = Operation.READ if reads else Operation.WRITE
        key = draw.getrandbits(64) * config.keys >> 64
        value = 0 if reads else value_of(self.host.me, self._last_number)
        request = OpenRequest(self._last_number, operation, key, value)
        self.under_way[request.number] = request
        self.host.note("request", number=request.number, operation=operation.value, key=key, value=value)
        self._try(request)
        if not config.closed_loop:
            self.host.set_timer(NEXT, next(self._gaps))

    def _try(self, request: OpenRequest) -> None:
        request.attempt += 1
        request.server = self.servers.current if self._address is None else self._address()
        request.asked.add(request.server)
        request.awaits_answer = True
        self.host.note("attempt", number=request.number, server=request.server)
        self.host.set_timer(f"{TIMEOUT}{request.number}", self.config.timeout)
        size = self.config.size_bytes if request.operation is Operation.WRITE else 0
        asked = request.operation, request.key, request.value
        how = self.config.consistency, self.config.stale_reads_for
        message = Request(request.number, request.attempt, *asked, size, *how)
        self.host.send(request.server, message)

    def _on_timeout(self, request: OpenRequest) -> None:
        server = request.server
        if server in self.connected:
            request.may_be_done = True
            self._end_attempt(request, "timed-out")
        else:
            self.host.disconnect(server)
            self._end_attempt(request, "unreachable")
        self.servers.move_on(server)
        self._try_later(request)

    def _look_elsewhere(self, request: OpenRequest, sender: NodeId, reply: Reply) -> None:
        """A server does not do the request: ask the leader that it names at once, or the next server later."""
        leader = reply.leader if self.config.finds == "leader" and self._address is None else None
        if leader is None:
            self.servers.move_on(sender)
            self._try_later(request)
            return
        self.servers.prefer(leader)
        if leader in request.asked or self._is_last(request):
            self._try_later(request)
        else:
            self._try(request)

    def _try_later(self, request: OpenRequest) -> None:
        if self._is_last(request):
            self._give_up(request)
            return
        backoff = self.config.backoff
        longest = min(backoff.first << min(request.attempt - 1, 40), backoff.most)
        shortest = longest - round(longest * backoff.jitter)
        wait = shortest + ((longest - shortest + 1) * self.host.random.getrandbits(64) >> 64)
        self.host.set_timer(f"{RETRY}{request.number}", wait)

    def _is_last(self, request: OpenRequest) -> bool:
        return self.config.attempts is not None and request.attempt >= self.config.attempts

    def _end_attempt(self, request: OpenRequest, outcome: str) -> None:
        request.awaits_answer = False
        self.host.cancel_timer(f"{TIMEOUT}{request.number}")
        self.host.note("answer", number=request.number, attempt=request.attempt, outcome=outcome)

    # --- The end of a request

    def _finish(self, request: OpenRequest, reply: Reply) -> None:
        for timer in (TIMEOUT, RETRY):
            self.host.cancel_timer(f"{timer}{request.number}")
        self.host.note("answer", number=request.number, attempt=reply.attempt, outcome="done")
        value = reply.value if request.operation is Operation.READ else request.value
        done = {"value": value, "token": reply.token, "log_index": reply.log_index, "stale": reply.stale}
        self._end(request, "acknowledged", **done)

    def _give_up(self, request: OpenRequest) -> None:
        outcome = "unknown" if request.may_be_done else "refused" if request.was_answered else "failed"
        self._end(request, outcome)

    def _end(self, request: OpenRequest, outcome: str, **done: object) -> None:
        del self.under_way[request.number]
        self.host.note("ended", number=request.number, outcome=outcome, **done)
        if self.config.closed_loop:
            self.host.set_timer(NEXT, next(self._gaps))

    receive: ClassVar = {Reply: _on_reply}
