"""The rules of the token endpoint as tables (RFC 6749)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from services.identity.domain.oidc import (
    ClientCredentials,
    TokenRefused,
    authenticate_client,
    granted_scopes,
    read_credentials,
    require_grant_type,
)
from services.identity.domain.service_clients import principal_of
from shared.ids import AccountId
from tests.services.identity.domain.rows import CLIENT


def basic(text: str, scheme: str = "Basic") -> str:
    return f"{scheme} {b64encode(text.encode()).decode()}"


def refusal(ask, *given, **named) -> tuple[str, int, bool]:
    with pytest.raises(TokenRefused) as refused:
        ask(*given, **named)
    return refused.value.error, refused.value.status, refused.value.challenge


@pytest.mark.parametrize(
    ("authorization", "client_id", "client_secret", "credentials"),
    [
        (None, "cli_1", "s", ("cli_1", "s", False)),
        (basic("cli_1:s"), None, None, ("cli_1", "s", True)),
        (basic("cli_1:s", "bAsIc"), None, None, ("cli_1", "s", True)),
        (basic("cli_1:s"), "cli_1", None, ("cli_1", "s", True)),
        (basic("cli_1:a:b"), None, None, ("cli_1", "a:b", True)),
        (basic("cli%5F1:a%3Ab+c"), None, None, ("cli_1", "a:b c", True)),
        (basic(":"), None, None, ("", "", True)),
    ],
)
def test_read_credentials(authorization, client_id, client_secret, credentials) -> None:
    found = read_credentials(
        authorization=authorization, client_id=client_id, client_secret=client_secret
    )
    assert (found.client_id, found.secret, found.in_header) == credentials


@pytest.mark.parametrize(
    ("authorization", "client_id", "client_secret", "error"),
    [
        (None, None, None, ("invalid_client", 401, False)),
        (None, "cli_1", None, ("invalid_client", 401, False)),
        (None, None, "s", ("invalid_client", 401, False)),
        (basic("cli_1:s"), None, "s", ("invalid_request", 400, False)),
        (basic("cli_1:s"), "cli_2", None, ("invalid_request", 400, False)),
        ("Basic", None, None, ("invalid_client", 401, True)),
        ("Basic !!!", None, None, ("invalid_client", 401, True)),
        (basic("nocolon"), None, None, ("invalid_client", 401, True)),
        ("Bearer abc", None, None, ("invalid_client", 401, True)),
        (basic("é:s"), None, None, ("invalid_client", 401, True)),
    ],
)
def test_unreadable_credentials_are_refused(authorization, client_id, client_secret, error) -> None:
    found = refusal(
        read_credentials,
        authorization=authorization,
        client_id=client_id,
        client_secret=client_secret,
    )
    assert found == error


@pytest.mark.parametrize("grant_type", [None, ""])
def test_a_missing_grant_type_is_an_invalid_request(grant_type) -> None:
    assert refusal(require_grant_type, grant_type) == ("invalid_request", 400, False)


@pytest.mark.parametrize(
    ("client", "secret", "in_header", "authenticated"),
    [
        (CLIENT, "rcs_right", True, True),
        (CLIENT, "rcs_right", False, True),
        (CLIENT, "rcs_wrong", True, False),
        (CLIENT, "", False, False),
        (None, "rcs_right", True, False),
    ],
)
def test_authenticate_client(client, secret, *, in_header: bool, authenticated: bool) -> None:
    credentials = ClientCredentials(client_id="x", secret=secret, in_header=in_header)
    if authenticated:
        assert authenticate_client(client, credentials) is client
    else:
        error = refusal(authenticate_client, client, credentials)
        assert error == ("invalid_client", 401, in_header)


@pytest.mark.parametrize(
    ("grant_type", "scope", "outcome"),
    [
        ("client_credentials", None, {"authz:check", "audit:write"}),
        ("client_credentials", "authz:check", {"authz:check"}),
        ("client_credentials", "audit:write authz:check", {"authz:check", "audit:write"}),
        ("client_credentials", "usage:write", "invalid_scope"),
        ("client_credentials", "authz:check usage:write", "invalid_scope"),
        ("client_credentials", "authz:check ", "invalid_scope"),
        ("password", None, "unsupported_grant_type"),
        ("password", "usage:write", "unsupported_grant_type"),
    ],
)
def test_granted_scopes(grant_type, scope, outcome) -> None:
    if isinstance(outcome, set):
        assert granted_scopes(CLIENT, grant_type=grant_type, scope=scope) == outcome
    else:
        error = refusal(granted_scopes, CLIENT, grant_type=grant_type, scope=scope)
        assert error == (outcome, 400, False)


@pytest.mark.parametrize("types", [None, (), ("instance", "volume")])
@pytest.mark.parametrize("accounts", [None, (), (AccountId("acc_1"),)])
def test_the_principal_of_a_token_has_the_bounds_of_its_client(accounts, types) -> None:
    client = replace(CLIENT, account_ids=accounts, resource_types=types)
    principal = principal_of(client, frozenset({"authz:check"}))
    assert principal.scopes == {"authz:check"}
    assert principal.account_ids == (None if accounts is None else frozenset(accounts))
    assert principal.resource_types == (None if types is None else frozenset(types))
