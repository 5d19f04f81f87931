"""ZooKeeper: an ensemble of servers (Fast Leader Election and Zab), and clients that elect a leader by its recipe.

Zab is Junqueira, Reed and Serafini, "Zab: High-performance broadcast for primary-backup systems" (DSN 2011). Medeiros,
"ZooKeeper's atomic broadcast protocol: theory and practice" (2012), describes Fast Leader Election; where ZooKeeper 3.8
differs, the code follows ZooKeeper. The recipe is in Hunt, Konar, Junqueira and Reed, "ZooKeeper: Wait-free
coordination for Internet-scale systems" (2010), and in the ZooKeeper Recipes.

- `server`: one member of the ensemble, which passes each input to one of its parts. All parts share `server_state`.
- `fast_leader_election` (phase 0), `zab_leader` and `zab_follower` (phases 1 and 2), `zab_broadcast` (phase 3).
- `replica`: the interface to what the ensemble agrees on. An ensemble alone agrees on writes that have no effect.
- `service`: the replica that serves clients. `tree`, `watches` and `sessions` are its state, `operations` carries out
  what clients ask for, and `session_leader` is what the leader does for all sessions.
- `client`: a client's session. `recipe`: the candidate that elects a leader with it.
- `registration`: the two algorithms, `zookeeper-ensemble` and `zookeeper`.
"""
