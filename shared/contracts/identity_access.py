"""What opens a user's accounts besides the password, as facts tell it."""

from shared.contracts.policy_objects import Contract


class AccessBesidePassword(Contract):
    """How many API tokens there are, the names of the first ones, and the other ways in."""

    api_tokens: int = 0
    token_names: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()
    second_factors: tuple[str, ...] = ()
    """The kind of each, `totp` or `passkey`."""
