"""Tests of Pacemaker on Corosync."""
