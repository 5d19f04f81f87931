"""Guards the timing of elections: a baseline that was accepted, a candidate's trials, and the verdict between them."""
