"""What coordination services, and the election recipes of their clients, have in common.

A coordination service (ZooKeeper, etcd) is a group of servers that agree on a log, and apply it to a state machine. A
recipe is what the clients of a service run to elect a leader among themselves: the clients are the electorate. A client
keeps a session or a lease, which the service ends when it has not heard of the client for too long.

- `state_machine`: what a server applies its log to.
- `watchers`: who watches what, at one server.
- `calls`: a client's requests that have had no reply yet.
- `candidate`: a client that elects. It declares roles and terms; its term is a fencing token.
"""
