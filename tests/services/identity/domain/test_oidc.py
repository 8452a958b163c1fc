"""The rules of the token endpoint as tables (RFC 6749)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from services.identity.domain.oidc import (
    ClientCredentials,
    ClientHeaderMalformed,
    ClientInvalid,
    ClientMissing,
    GrantTypeUnsupported,
    ScopeNotHeld,
    TokenRequestInvalid,
    authenticate_client,
    granted_scopes,
    read_credentials,
    require_grant_type,
)
from services.identity.domain.service_clients import principal_of
from shared.ids import AccountId
from tests.services.identity.domain.rows import CLIENT
from tests.services.rows import NOON


def basic(text: str, scheme: str = "Basic") -> str:
    return f"{scheme} {b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("authorization", "client_id", "client_secret", "credentials"),
    [
        (None, "cli_1", "s", ("cli_1", "s")),
        (basic("cli_1:s"), None, None, ("cli_1", "s")),
        (basic("cli_1:s", "bAsIc"), None, None, ("cli_1", "s")),
        (basic("cli_1:s"), "cli_1", None, ("cli_1", "s")),
        (basic("cli_1:a:b"), None, None, ("cli_1", "a:b")),
        (basic("cli%5F1:a%3Ab+c"), None, None, ("cli_1", "a:b c")),
        (basic(":"), None, None, ("", "")),
    ],
)
def test_read_credentials(authorization, client_id, client_secret, credentials) -> None:
    found = read_credentials(
        authorizations=[] if authorization is None else [authorization],
        client_id=client_id,
        client_secret=client_secret,
    )
    assert (found.client_id, found.secret) == credentials


@pytest.mark.parametrize(
    ("authorizations", "client_id", "client_secret", "error"),
    [
        ([], None, None, ClientMissing),
        ([], "cli_1", None, ClientMissing),
        ([], None, "s", ClientMissing),
        ([basic("cli_1:s")], None, "s", TokenRequestInvalid),
        ([basic("cli_1:s")], "cli_2", None, TokenRequestInvalid),
        ([basic("cli_1:s")] * 2, None, None, TokenRequestInvalid),
        (["Basic"], None, None, ClientHeaderMalformed),
        (["Basic !!!"], None, None, ClientHeaderMalformed),
        ([basic("nocolon")], None, None, ClientHeaderMalformed),
        (["Bearer abc"], None, None, ClientHeaderMalformed),
        ([basic("é:s")], None, None, ClientHeaderMalformed),
    ],
)
def test_unreadable_credentials_are_refused(
    authorizations, client_id, client_secret, error
) -> None:
    with pytest.raises(error):
        read_credentials(
            authorizations=authorizations, client_id=client_id, client_secret=client_secret
        )


def test_several_blanks_may_stand_before_the_credentials() -> None:
    header = basic("cli_1:s").replace("Basic ", "Basic  ")
    read = read_credentials(authorizations=[header], client_id=None, client_secret=None)
    assert (read.client_id, read.secret) == ("cli_1", "s")


@pytest.mark.parametrize("grant_type", [None, ""])
def test_a_missing_grant_type_is_an_invalid_request(grant_type) -> None:
    with pytest.raises(TokenRequestInvalid):
        require_grant_type(grant_type)


@pytest.mark.parametrize(
    ("client", "secret", "authenticated"),
    [
        (CLIENT, "rcs_right", True),
        (CLIENT, "rcs_wrong", False),
        (CLIENT, "", False),
        (None, "rcs_right", False),
    ],
)
def test_authenticate_client(client, secret, *, authenticated: bool) -> None:
    credentials = ClientCredentials(client_id="x", secret=secret)
    if authenticated:
        assert authenticate_client(client, credentials, now=NOON) is client
    else:
        with pytest.raises(ClientInvalid):
            authenticate_client(client, credentials, now=NOON)


@pytest.mark.parametrize(
    ("grant_type", "scope", "outcome"),
    [
        ("client_credentials", None, {"authz:check", "audit:write"}),
        ("client_credentials", "authz:check", {"authz:check"}),
        ("client_credentials", "audit:write authz:check", {"authz:check", "audit:write"}),
        ("client_credentials", "usage:write", ScopeNotHeld),
        ("client_credentials", "authz:check usage:write", ScopeNotHeld),
        ("client_credentials", "authz:check ", ScopeNotHeld),
        ("password", None, GrantTypeUnsupported),
        ("password", "usage:write", GrantTypeUnsupported),
    ],
)
def test_granted_scopes(grant_type, scope, outcome) -> None:
    if isinstance(outcome, set):
        assert granted_scopes(CLIENT, grant_type=grant_type, scope=scope) == outcome
    else:
        with pytest.raises(outcome):
            granted_scopes(CLIENT, grant_type=grant_type, scope=scope)


@pytest.mark.parametrize("types", [None, (), ("instance", "volume")])
@pytest.mark.parametrize("accounts", [None, (), (AccountId("acc_1"),)])
def test_the_principal_of_a_token_has_the_bounds_of_its_client(accounts, types) -> None:
    client = replace(CLIENT, account_ids=accounts, resource_types=types)
    principal = principal_of(client, frozenset({"authz:check"}))
    assert principal.scopes == {"authz:check"}
    assert principal.account_ids == (None if accounts is None else frozenset(accounts))
    assert principal.resource_types == (None if types is None else frozenset(types))
