"""The choice of mails, and the links that switch one kind off."""

import email
import email.policy
import hmac
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from services.notification.domain.entries import ONLY_MAILED, entry_of, message_of
from services.notification.domain.headers import UnsafeHeader
from services.notification.domain.kind_groups import (
    GROUP_TEXTS,
    KIND_TITLES,
    KINDS_OF,
    KindGroup,
    is_optional,
)
from services.notification.domain.mails import compose, render, render_entry
from services.notification.domain.messages import MessageKind
from services.notification.domain.preferences import (
    OPTIONAL_KINDS,
    KindState,
    MailsOffInAll,
    SwitchedOff,
    UnsubscribeLinkInvalid,
    UnsubscribeLinks,
    UnsubscribeTarget,
    check_off,
    is_switched_off,
    state_of,
    switch_off,
    switch_on,
)
from shared.ids import UserId
from shared.locales import Locale
from shared.problems import Invalid
from tests.services.notification.domain.test_mails import SENDER, WITHOUT_PAGES, a_message
from tests.services.rows import NOON

USER, ACCOUNT = UserId("usr_" + "1" * 32), "acc_" + "2" * 32
ROLE, OVERRIDE = MessageKind.ROLE_CHANGED, MessageKind.OVERRIDE_SET
LINKS = UnsubscribeLinks(b"k" * 32, "https://cloud.example:8443")
TARGET = UnsubscribeTarget(USER, ACCOUNT, ROLE)
ALWAYS_SENT = {
    *("password_reset", "password_changed", "new_device", "signed_out", "token_created"),
    *("second_factor_added", "second_factor_removed", "recovery_code_used", "email_changed"),
    *("removed", "suspended", "access_ended", "account_deleted", "account_suspended"),
    *("invitation", "ownership_offered", "ownership_transferred", "second_factor_demanded"),
    *("sso_connection", "identity_linked", "user_disabled", "verify_email"),
}


def to_user(kind, account_id=ACCOUNT):
    return replace(a_message(kind), user_id=USER, account_id=account_id)


def test_mails_about_security_and_lost_access_always_go_out():
    assert {kind.value for kind in OPTIONAL_KINDS}.isdisjoint(ALWAYS_SENT)


@pytest.mark.rule("B12")
@pytest.mark.parametrize("kind", sorted(set(MessageKind) - OPTIONAL_KINDS))
def test_a_mail_that_always_goes_out_cannot_be_switched_off(kind):
    with pytest.raises(Invalid) as refused:
        check_off([(ACCOUNT, [ROLE, kind])])
    [fault] = refused.value.errors
    assert fault.pointer == "/off/0/kinds/1"
    assert f"`{kind}` cannot be switched off" in fault.message
    assert not is_switched_off([SwitchedOff(account_id=None, kinds=(kind,))], to_user(kind))
    assert LINKS.url(to_user(kind)) is None


@pytest.mark.parametrize(
    ("chosen", "pointers"),
    [
        ([(None, ["nothing_such"])], ["/off/0/kinds/0"]),
        ([(None, [ROLE]), (None, [OVERRIDE])], ["/off/1/account_id"]),
        ([(ACCOUNT, ["x", ROLE, "y"])], ["/off/0/kinds/0", "/off/0/kinds/2"]),
    ],
)
def test_a_refused_choice_names_each_fault(chosen, pointers):
    with pytest.raises(Invalid) as refused:
        check_off(chosen)
    assert [fault.pointer for fault in refused.value.errors] == pointers


@pytest.mark.parametrize(
    ("off", "message", "expected"),
    [
        ([], to_user(ROLE), False),
        ([SwitchedOff(account_id=None, kinds=(ROLE,))], to_user(ROLE), True),
        ([SwitchedOff(account_id=ACCOUNT, kinds=(ROLE,))], to_user(ROLE), True),
        ([SwitchedOff(account_id="acc_x", kinds=(ROLE,))], to_user(ROLE), False),
        ([SwitchedOff(account_id=ACCOUNT, kinds=(OVERRIDE,))], to_user(ROLE), False),
    ],
)
def test_a_mail_is_switched_off_in_its_account_or_in_all(off, message, expected):
    assert is_switched_off(off, message) is expected


def test_a_link_adds_its_kind_to_what_is_off_already():
    off = check_off([(None, [OVERRIDE]), (ACCOUNT, [OVERRIDE])])
    assert set(switch_off(off, ROLE, ACCOUNT)) == {
        SwitchedOff(account_id=None, kinds=(OVERRIDE,)),
        SwitchedOff(account_id=ACCOUNT, kinds=(OVERRIDE, ROLE)),
    }


@pytest.mark.parametrize(
    ("chosen", "state", "after"),
    [
        ([], KindState.ON, KindState.ON),
        ([(ACCOUNT, [ROLE])], KindState.OFF, KindState.ON),
        ([(ACCOUNT, [ROLE, OVERRIDE])], KindState.OFF, KindState.ON),
        ([("acc_x", [ROLE])], KindState.ON, KindState.ON),
        ([(None, [OVERRIDE]), (ACCOUNT, [ROLE])], KindState.OFF, KindState.ON),
    ],
)
def test_a_link_switches_on_again_only_what_it_switched_off(chosen, state, after):
    off = check_off(chosen)
    assert state_of(off, ROLE, ACCOUNT) is state
    again = switch_on(off, ROLE, ACCOUNT)
    assert state_of(again, ROLE, ACCOUNT) is after
    assert {(one.account_id, kind) for one in again for kind in one.kinds} == {
        (one.account_id, kind)
        for one in off
        for kind in one.kinds
        if (one.account_id, kind) != (ACCOUNT, ROLE)
    }
    assert all(one.kinds for one in again)


@pytest.mark.parametrize("chosen", [[(None, [ROLE])], [(None, [ROLE]), (ACCOUNT, [ROLE])]])
def test_a_link_says_that_its_mails_are_off_in_all_accounts(chosen):
    off = check_off(chosen)
    assert state_of(off, ROLE, ACCOUNT) is KindState.OFF_IN_ALL
    with pytest.raises(MailsOffInAll):
        switch_on(off, ROLE, ACCOUNT)


def test_each_kind_is_in_one_group_which_is_optional_as_a_whole():
    kinds = [kind for group in KindGroup for kind in KINDS_OF[group]]
    assert sorted(kinds) == sorted(set(MessageKind) - {MessageKind.DIGEST})
    for group in KindGroup:
        assert is_optional(group) or OPTIONAL_KINDS.isdisjoint(KINDS_OF[group])


@pytest.mark.parametrize("locale", Locale)
def test_people_read_what_each_choice_is_and_why_others_have_none(locale):
    assert KIND_TITLES[locale].keys() == OPTIONAL_KINDS
    texts = GROUP_TEXTS[locale]
    assert list(texts) == list(KindGroup)
    for group, text in texts.items():
        assert (text.reason is None) is is_optional(group)


def forged(token):
    user, account, kind, mac = token.split(".")
    other = "usr_" + "3" * 32
    by_the_whole_key = hmac.digest(b"k" * 32, token.rpartition(".")[0].encode(), sha256)
    return [
        "",
        "x",
        token[:-1],
        token + "A",
        f"{token}\n",
        f"{other}.{account}.{kind}.{mac}",
        ".".join([user, "acc_" + "4" * 32, kind, mac]),
        f"{user}.{account}.override_set.{mac}",
        f"{user}.{account}.password_changed.{mac}",
        ".".join([user, account, kind, "A" * 43]),
        ".".join([user, account, kind, urlsafe_b64encode(by_the_whole_key).decode().rstrip("=")]),
        UnsubscribeLinks(b"o" * 32, "https://cloud.example").token(TARGET),
        LINKS.token(replace(TARGET, kind=MessageKind.PASSWORD_CHANGED)),
    ]


@pytest.mark.rule("B12")
@pytest.mark.parametrize("token", forged(LINKS.token(TARGET)))
def test_a_link_is_bound_to_its_person_account_and_kind(token):
    with pytest.raises(UnsubscribeLinkInvalid):
        LINKS.read(token)
    assert LINKS.read(LINKS.token(TARGET)) == TARGET


def test_a_mail_names_its_link_in_one_line_that_programs_read():
    url = LINKS.url(to_user(ROLE))
    mail = compose(to_user(ROLE), None, sender=SENDER, now=NOON, unsubscribe_url=url)
    head = mail.content.partition(b"\r\n\r\n")[0].decode()
    assert f"List-Unsubscribe: <{url}>\r\n" in head
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in head
    parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert str(parsed["To"]) == "bo@example.com"


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize("sender", [SENDER, WITHOUT_PAGES])
def test_the_foot_of_an_optional_mail_leads_to_its_page(sender, locale):
    message = replace(to_user(ROLE), locale=locale)
    page = LINKS.page(message)
    assert page == f"https://cloud.example:8443/unsubscribe?token={LINKS.token(TARGET)}"
    content = render(message, None, sender=sender, now=NOON, unsubscribe_page=page)
    assert (page in content.text) is sender.pages
    assert (f'href="{page}"' in content.html) is sender.pages
    assert LINKS.page(to_user(MessageKind.REMOVED)) is None


@pytest.mark.rule("T13")
@pytest.mark.parametrize("text", ["\r\nBcc: v@x.example", "\u202e", "ü", "=?utf-8?q?x?="])
def test_an_address_that_could_be_a_header_is_refused(text):
    with pytest.raises(UnsafeHeader):
        compose(to_user(ROLE), None, sender=SENDER, now=NOON, unsubscribe_url=f"https://x{text}")


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize("kind", sorted(set(MessageKind) - ONLY_MAILED))
def test_each_message_is_listed_with_a_title_and_a_text(kind, locale):
    entry = entry_of(to_user(kind))
    assert entry is not None
    listed = render_entry(replace(message_of(entry), locale=locale), sender=SENDER)
    assert listed.title.splitlines() == [listed.title]
    assert listed.text
    assert "href" not in listed.text


@pytest.mark.parametrize("kind", sorted(ONLY_MAILED))
def test_what_is_only_a_link_is_not_listed(kind):
    assert entry_of(to_user(kind)) is None


def test_a_message_to_a_stranger_is_in_no_list():
    assert entry_of(a_message(ROLE)) is None
