"""ZooKeeper: an ensemble of servers (Fast Leader Election and Zab), and clients that elect a leader by its recipe.

Zab is Junqueira, Reed and Serafini, "Zab: High-performance broadcast for primary-backup systems" (DSN 2011). Its three
phases are in `zab_leader` and `zab_follower`. What chooses the prospective leader before them, phase 0, is ZooKeeper's
own `fast_leader_election`, as Medeiros describes it ("ZooKeeper's atomic broadcast protocol: theory and practice",
2012), and as ZooKeeper 3.8 does it where the two differ. `server` is one member of the ensemble; `replica` is what it
does with what is agreed: nothing, in an ensemble alone.

What is agreed is a tree of znodes: `tree`, `watches` and `sessions` are a server's state, `service` what it does for
its clients, and `session_leader` what the leader does for all. `client` is their part of a session, and `recipe` the
candidate that elects with it (Hunt, Konar, Junqueira and Reed, "ZooKeeper: Wait-free coordination for Internet-scale
systems", 2010; the ZooKeeper Recipes). `registration` has all of it under one name.
"""
