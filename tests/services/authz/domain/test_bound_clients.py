"""The account that a service client asks about, by what it is bound to: a table."""

import pytest

from services.authz.domain.checks import account_for_client
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.contracts.policy_objects import ServiceClientObject
from shared.problems import Refusal

# the accounts and the types that it is bound to (None: all), what it names, what it asks about
ASKED: list[
    tuple[tuple[str, ...] | None, tuple[str, ...] | None, str | None, str | type[Refusal] | None]
] = [
    (None, None, "acc_1", "acc_1"),
    (None, None, None, None),
    (("acc_1",), None, "acc_1", "acc_1"),
    (("acc_1",), None, None, "acc_1"),
    (("acc_1",), None, "acc_2", AccountNotBound),
    (("acc_1", "acc_2"), None, "acc_1", "acc_1"),
    (("acc_1", "acc_2"), None, "acc_2", "acc_2"),
    (("acc_1", "acc_2"), None, None, None),
    (("acc_1", "acc_2"), None, "acc_3", AccountNotBound),
    ((), None, "acc_1", AccountNotBound),
    ((), None, None, None),
    (None, ("instance",), "acc_1", "acc_1"),
    (None, ("bucket", "instance"), "acc_1", "acc_1"),
    (None, ("bucket", "balance"), "acc_1", TypeNotBound),
    (None, (), "acc_1", TypeNotBound),
    (("acc_1",), (), None, TypeNotBound),
]


@pytest.mark.rule("T1")
@pytest.mark.parametrize(("accounts", "types", "named", "expected"), ASKED)
def test_a_client_asks_about_accounts_and_types_that_it_is_bound_to(
    accounts: tuple[str, ...] | None,
    types: tuple[str, ...] | None,
    named: str | None,
    expected: str | type[Refusal] | None,
) -> None:
    client = ServiceClientObject(
        name="compute", scopes=("authz:check",), account_ids=accounts, resource_types=types
    )
    if isinstance(expected, type):
        with pytest.raises(expected):
            account_for_client(client, named=named, resource_type="instance")
        return
    assert account_for_client(client, named=named, resource_type="instance") == expected
