"""Pages and lists that are made from the code."""
