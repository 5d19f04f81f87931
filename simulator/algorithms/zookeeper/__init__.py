"""ZooKeeper: an ensemble of servers (Fast Leader Election and Zab), and clients that elect a leader by its recipe."""
