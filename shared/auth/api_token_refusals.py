"""Refusals that only API tokens meet; `ApiTokenOver` stands with those of sessions."""

from shared.problems import PermissionMissing, TokenInvalid


class ApiTokenIncomplete(TokenInvalid):
    """The text begins as an API token, and its length, characters or check sum are wrong."""

    detail = (
        "This API token was not copied whole: its length or its check sum is wrong. Copy all of"
        " it again, as it was shown when it was made."
    )


class TokenRestricted(PermissionMissing):
    """The creator of the API token holds the permission, and the token's restriction omits it."""

    code = "token-restricted"
    detail = (
        "The restriction of this API token leaves `{permission}` out. Use an API token that"
        " includes it; a restriction never changes."
    )
