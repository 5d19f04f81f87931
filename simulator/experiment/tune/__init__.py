"""The tuner: which settings recover soonest, among those that do not depose a leader that is fine too often."""
