"""What can go wrong on the bench."""


class InteractionError(ValueError):
    """The bench was asked for what cannot be done, by its user or by the algorithm on it."""
