"""How the record names a user who calls."""

from dataclasses import replace

from shared.contracts.facts import Caller


def with_name(caller: Caller, *, name: str, email: str) -> Caller:
    """The caller with the user's name and address, for people who read the record."""
    if caller.actor.type != "user" or caller.actor.name is not None:
        return caller
    shown = {"name": name, "email": email}
    return replace(caller, actor=caller.actor.model_copy(update=shown))
