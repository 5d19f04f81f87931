"""Pacemaker on Corosync: membership by a token that circulates (Totem), a quorum of votes, and the election of the DC.

The representation is that of Corosync 3.1 (exec/totemsrp.c, exec/votequorum.c) and Pacemaker 3 (lib/cluster/election.c,
daemons/controld). Totem: Amir, Moser, Melliar-Smith, Agarwal and Ciarfella, The Totem Single-Ring Ordering and
Membership Protocol, ACM TOCS 13(4), 1995.
"""
