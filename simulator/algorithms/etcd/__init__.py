"""etcd: a replicated store of keys with leases, and `etcd-election`, the recipe by which its clients elect a leader.

The rules are those of etcd 3.6 and main (etcd-io/etcd at c34dc7e): server/etcdserver, server/lease, server/storage,
client/v3 and client/v3/concurrency. Where earlier versions differ, an option says so.

- `server`: a member. It has a Raft server (`simulator.algorithms.raft`, dialect `etcd`) and applies what that commits.
- `keys` and `store`: the state machine: keys with revisions, transactions, and which leases exist.
- `lessor`: when leases expire, in the memory of the leader. `renewals`: the streams of keep-alives at a member.
- `proposals`, `reads`, `watch_streams`: what a member does with the requests of its clients.
- `connections`, `client`: the connections, calls and watches of a client. `session`: a lease that a client keeps alive.
- `recipe`: the candidate (`concurrency.Session` and `Election`). `registration`: all of it under its name.
"""
