"""Copies of Bully, Invitation and the simple election with one deliberate fault each, which the tests must convict."""

from collections.abc import Mapping
from typing import Any

from tests.support.peer_mutants import bully, invitation, priority

MUTANTS: Mapping[str, Mapping[type[Any], str]] = {
    "bully": bully.MUTANTS,
    "invitation": invitation.MUTANTS,
    "priority": priority.MUTANTS,
}
