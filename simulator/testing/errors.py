"""The error of the interaction bench."""


class InteractionError(ValueError):
    """A test, or the algorithm on the bench, has asked for something that cannot be done."""
