"""electsim: a discrete-event simulator of leader election."""
