"""Tests of external ids: an id names at most one member, and is compared as it is written."""

from hypothesis import given
from hypothesis import strategies as st

from services.authz.domain.external_ids import ExternalIds

USERS = tuple(f"usr_{letter * 32}" for letter in "abc")
LOOKALIKES = (
    "7f3a",
    "7F3A",
    "7f3a ",
    "stra\u00dfe",
    "strasse",
    "\ufb01",
    "fi",
    "e\u0301",
    "\u00e9",
)
"""Texts that other comparisons take for the same ones: case, compatibility, composition."""
NAMES = st.sampled_from(LOOKALIKES) | st.text(min_size=1, max_size=4)
STEPS = st.lists(
    st.tuples(st.sampled_from(("acc_1", "acc_2")), st.sampled_from(USERS), st.none() | NAMES),
    max_size=20,
)


@given(steps=STEPS, others=st.lists(NAMES, max_size=4))
def test_an_id_names_the_only_member_who_has_it_and_no_other_text_does(steps, others):
    known = ExternalIds()
    plain: dict[tuple[str, str], str | None] = {}
    for account_id, user_id, external_id in steps:
        known.put(account_id, user_id, external_id)
        plain[account_id, user_id] = external_id
    for account_id in ("acc_1", "acc_2", "acc_3"):
        for name in {*LOOKALIKES, *others, *(one for one in plain.values() if one)}:
            users = [
                user
                for (account, user), external_id in plain.items()
                if account == account_id and external_id == name
            ]
            assert known.user(account_id, name) == (users[0] if len(users) == 1 else name)
            for user in users:
                assert known.of(account_id, user) == (name if len(users) == 1 else None)
        for user in USERS:
            assert known.user(account_id, user) == user


def test_an_external_id_in_the_form_of_a_users_id_names_no_other_member():
    known = ExternalIds()
    known.put("acc_1", USERS[0], USERS[1])
    assert known.user("acc_1", USERS[1]) == USERS[1]
    assert known.of("acc_1", USERS[0]) is None


def test_the_end_of_a_membership_or_an_account_ends_its_ids():
    known = ExternalIds()
    known.put("acc_1", USERS[0], "7f3a")
    known.put("acc_1", USERS[1], "8b")
    known.put("acc_1", USERS[0], None)
    assert known.user("acc_1", "7f3a") == "7f3a"
    known.drop("acc_1")
    assert known.user("acc_1", "8b") == "8b"
    known.put("acc_1", USERS[0], "7f3a")
    known.clear()
    assert known.of("acc_1", USERS[0]) is None
