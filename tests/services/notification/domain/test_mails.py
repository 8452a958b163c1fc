"""The text of each mail, and the safety of its headers and links."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from services.identity.routes import ROUTES as IDENTITY
from services.notification.domain.headers import UnsafeHeader, safe_header
from services.notification.domain.mails import MailSender, Undeliverable, compose, render
from services.notification.domain.messages import MailLink, Message, MessageKind, message_id
from services.notification.domain.names import mailbox_of
from services.notification.settings import Settings
from services.team.routes import ROUTES as TEAM
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.contracts.notification import BounceCause
from shared.locales import Locale
from tests.pairing import ONE_PAIR_IN, pairs
from tests.services.rows import NOON

SENDER = MailSender(
    address="no-reply@mail.example",
    name="Rolecall",
    product="Rolecall",
    public_url="https://cloud.example:8443",
    pages=True,
)
WITHOUT_PAGES = replace(SENDER, pages=False)
CALLER = Caller(actor=Actor(type="service", id="notification"), request=RequestInfo(request_id="r"))
LINK = MailLink(
    url="https://cloud.example/invitations?token=inv_1.1.abc&code=K7QM2XWP", code="K7QM2XWP"
)
WORDS = {
    "name": "Bo Li",
    "account": "Acme Robotics",
    "inviter": "Ana Díaz",
    "owner": "Ana Díaz",
    "role": "Developer",
    "email": "bo@example.com",
    "member": "Bo Li",
    "label": "Acme",
    "event": "created",
    "joins": "yes",
    "problem": "no-free-seat",
    "how": "user",
    "host": "hooks.acme.example",
    "webhook_id": "whk_0199",
    "description": "Billing",
    "stream": "SIEM",
    "stream_id": "str_0199",
    "origin": "rolecall.example/audit/acc_1",
    "size": "7",
    "root": "cm9vdA==",
    "signature": "— rolecall.example c2ln",
    "gone": "",
    "days": "90",
    "actor": "Ana Díaz",
    "project": "prod",
    "former": "Cem Kaya",
    "catalog": "Print Shop",
    "new_catalog": "",
    "signs_in_again": "",
    "by_reset": "yes",
    "resend_offered": "yes",
    "personal": "yes",
    "members": "yes",
    "expired": "yes",
    "changed_at": "1 March 2026, 12:00 UTC",
    "created_at": "1 March 2026, 12:00 UTC",
    "until": "30 May 2026, 12:00 UTC",
    "token": "Nightly build",
    "ended_tokens": "Nightly build",
    "ended_issuers": "Acme",
    "left_tokens": "Deploy, CI + 3",
    "left_issuers": "Corp",
    "left_app": "yes",
    "left_passkeys": "2",
    "used_at": "1 March 2026, 12:00 UTC",
    "device": "Firefox on Linux",
    "network": "203.0.113.7",
    "place": "Vienna",
    "started_at": "1 March 2026, 12:00 UTC",
    "passkey": "",
    "by_platform": "",
    "taken_back": "",
    "because": "no-such-mailbox",
    "codes_left": "9",
    "passkey_name": "Phone",
    "deletes_at": "31 March 2026, 12:00 UTC",
    "explanation": "An unpaid invoice.",
    "ends": "1 March 2027, 12:00 UTC",
}
BUTTONS = {
    MessageKind.INVITATION: "View the invitation",
    MessageKind.VERIFY_EMAIL: "Verify my address",
    MessageKind.PASSWORD_RESET: "Choose a new password",
    MessageKind.EMAIL_CHANGE: "Confirm this address",
    MessageKind.EMAIL_CHANGED: "Take the change back",
    MessageKind.SECOND_FACTOR_ADDED: "This was not me: remove it",
}
WITH_LINK = set(BUTTONS)
PAGES = {
    MessageKind.ACCOUNT_EXISTS: ("/sign-in", "/forgot-password"),
    MessageKind.PASSWORD_CHANGED: ("/forgot-password",),
    MessageKind.SECOND_FACTOR_REMOVED: ("/forgot-password",),
    MessageKind.RECOVERY_CODES_REPLACED: ("/forgot-password",),
    MessageKind.RECOVERY_CODE_USED: ("/forgot-password",),
    MessageKind.PASSKEY_COPY_SUSPECTED: ("/forgot-password",),
    MessageKind.TOKEN_CREATED: ("/forgot-password",),
    MessageKind.NEW_DEVICE: ("/forgot-password",),
    MessageKind.IDENTITY_LINKED: ("/forgot-password",),
    MessageKind.IDENTITY_UNLINKED: ("/forgot-password",),
    MessageKind.EMAIL_CHANGE_REQUESTED: ("/forgot-password",),
    MessageKind.EMAIL_RESTORED: ("/forgot-password",),
}
"""The pages that a mail without a link of its own names."""


def a_message(kind, *, recipient="bo@example.com", expires_in=timedelta(days=7), **words):
    return Message(
        id=message_id("evt_0190b5d2f0c87a3fb1e2c3d4e5f60718", kind, recipient),
        kind=kind,
        recipient=recipient,
        account_id="acc_1",
        caller=CALLER,
        created_at=NOON,
        words=WORDS | words,
        expires_at=NOON + expires_in if expires_in else None,
    )


def link_of(kind):
    return LINK if kind in WITH_LINK else None


def content_of(kind, **fields):
    return render(a_message(kind, **fields), link_of(kind), sender=SENDER, now=NOON)


def mail_of(kind, **fields):
    mail = compose(a_message(kind, **fields), link_of(kind), sender=SENDER, now=NOON)
    return mail, email.message_from_bytes(mail.content, policy=email.policy.default)


def visible(html):
    """The words of a page; markup inside a sentence adds no space."""
    words = []

    class Reader(HTMLParser):
        def handle_data(self, data):
            words.append(data)

        def handle_starttag(self, tag, attrs):
            words.append("" if tag in {"strong", "a"} else " ")

    Reader().feed(html.partition("<body")[2].partition(">")[2])
    return " ".join("".join(words).split())


OPENINGS = {
    MessageKind.DIGEST: (
        "Changes for you in “Acme Robotics”",
        "Hello Bo Li, these changes in “Acme Robotics” concern you.",
    ),
    MessageKind.VERIFY_EMAIL: (
        "Verify your e-mail address for Rolecall",
        "Your address bo@example.com was used to sign up for Rolecall with the name “Bo Li”.",
    ),
    MessageKind.ACCOUNT_EXISTS: (
        "You already have an account at Rolecall",
        "Hello Bo Li, your address bo@example.com was used to sign up for Rolecall.",
    ),
    MessageKind.PASSWORD_RESET: (
        "Reset your password for Rolecall",
        "Hello Bo Li, a password reset was requested for your account at Rolecall",
    ),
    MessageKind.PASSWORD_CHANGED: (
        "Your password for Rolecall was changed",
        "Hello Bo Li, the password of your account at Rolecall was changed on 1 March 2026",
    ),
    MessageKind.SECOND_FACTOR_ADDED: (
        "A second factor was added at Rolecall",
        "Hello Bo Li, an app that makes codes was added to your sign-in at Rolecall on 1 March",
    ),
    MessageKind.SECOND_FACTOR_REMOVED: (
        "A second factor was removed at Rolecall",
        "Hello Bo Li, the app that makes codes was removed from your sign-in at Rolecall on 1",
    ),
    MessageKind.RECOVERY_CODES_REPLACED: (
        "You have new recovery codes at Rolecall",
        "Hello Bo Li, new recovery codes were made for you at Rolecall on 1 March 2026",
    ),
    MessageKind.RECOVERY_CODE_USED: (
        "A recovery code was used at Rolecall",
        "Hello Bo Li, one of your recovery codes was used at Rolecall on 1 March 2026",
    ),
    MessageKind.PASSKEY_COPY_SUSPECTED: (
        "A passkey was refused at Rolecall",
        "Hello Bo Li, your passkey “Phone” was refused at Rolecall on 1 March 2026",
    ),
    MessageKind.TOKEN_CREATED: (
        "An API token was made for you at Rolecall",
        "Hello Bo Li, the API token “Nightly build” was made for you at Rolecall on 1 March 2026",
    ),
    MessageKind.TOKEN_EXPIRY: (
        "An API token of yours ends soon at Rolecall",
        "Hello Bo Li, your API token “Nightly build” for the account “Acme Robotics” at Rolecall",
    ),
    MessageKind.IDENTITY_LINKED: (
        "Another way to sign in to Rolecall was added",
        "Hello Bo Li, your account at Rolecall can be opened by a sign-in with “Acme” since 1",
    ),
    MessageKind.IDENTITY_UNLINKED: (
        "A way to sign in to Rolecall was removed",
        "Hello Bo Li, your account at Rolecall cannot be opened by a sign-in with “Acme” any more.",
    ),
    MessageKind.INVITATION: (
        "“Ana Díaz” invited you to the team “Acme Robotics”",
        "“Ana Díaz” invited you to the team “Acme Robotics” on Rolecall.",
    ),
    MessageKind.INVITATION_ACCEPTED: (
        "“Bo Li” joined the team “Acme Robotics”",
        "“Bo Li” (bo@example.com) accepted your invitation to the team “Acme Robotics”",
    ),
    MessageKind.INVITATION_DECLINED: (
        "bo@example.com declined your invitation to the team “Acme Robotics”",
        "bo@example.com declined your invitation to the team “Acme Robotics”.",
    ),
    MessageKind.INVITATION_PASSED: (
        "The invitation for bo@example.com to the team “Acme Robotics” is now yours",
        "“Bo Li” invited bo@example.com to the team “Acme Robotics” with the role “Developer”.",
    ),
    MessageKind.INVITATION_BOUNCED: (
        "The invitation for bo@example.com to the team “Acme Robotics” was not delivered",
        "The e-mail with your invitation for bo@example.com to the team “Acme Robotics” could not",
    ),
    MessageKind.SSO_CONNECTION: (
        "The sign-in service “Acme” was added to the team “Acme Robotics”",
        "“Ana Díaz” added the sign-in service “Acme” of the team “Acme Robotics” on",
    ),
    MessageKind.WEBHOOK_DISABLED: (
        "A webhook of the account “Acme Robotics” was disabled",
        "The webhook “Billing” of the account “Acme Robotics” to the host",
    ),
    MessageKind.LOG_STREAM_PAUSED: (
        "A stream of the audit log of the account “Acme Robotics” was paused",
        "The stream “SIEM” of the audit log of the account “Acme Robotics” to the host",
    ),
    MessageKind.AUDIT_CHECKPOINT: (
        "The checkpoint of today of the audit log of “Acme Robotics”",
        "The audit log of the account “Acme Robotics” has 7 sealed records.",
    ),
    MessageKind.AUDIT_RETENTION: (
        "The audit log of the account “Acme Robotics” is now kept for 90 days",
        "“Ana Díaz” decided that the records in the audit log of the account “Acme Robotics” are",
    ),
    MessageKind.JOIN_REFUSED: (
        "No one joins the team “Acme Robotics” through “Acme” at the moment",
        "“Bo Li” (bo@example.com) signed in through “Acme” and should have become a member",
    ),
    MessageKind.MEMBER_LEFT: (
        "“Bo Li” left the team “Acme Robotics”",
        "“Bo Li” (bo@example.com) left the team “Acme Robotics”.",
    ),
    MessageKind.ADDED: (
        "You are now a member of the team “Acme Robotics”",
        "Hello Bo Li, you were added to the team “Acme Robotics” with the role “Developer”.",
    ),
    MessageKind.ROLE_CHANGED: (
        "Your role in the team “Acme Robotics” is now “Developer”",
        "Hello Bo Li, “Ana Díaz” changed your role in the team “Acme Robotics” to “Developer”.",
    ),
    MessageKind.MEMBERSHIP_END: (
        "Your access to the team “Acme Robotics” ends on 1 March 2027, 12:00 UTC",
        "Hello Bo Li, “Ana Díaz” set the end of your access to the team “Acme Robotics”:",
    ),
    MessageKind.SUSPENDED: (
        "Your access to the team “Acme Robotics” is suspended",
        "Hello Bo Li, “Ana Díaz” suspended your access to the team “Acme Robotics”.",
    ),
    MessageKind.RESUMED: (
        "Your access to the team “Acme Robotics” is restored",
        "Hello Bo Li, “Ana Díaz” restored your access to the team “Acme Robotics”.",
    ),
    MessageKind.REMOVED: (
        "You were removed from the team “Acme Robotics”",
        "Hello Bo Li, “Ana Díaz” removed you from the team “Acme Robotics”.",
    ),
    MessageKind.OVERRIDE_SET: (
        "Your permissions in the project “prod” changed",
        "“Ana Díaz” set permissions for you in the project “prod” of the team “Acme Robotics”.",
    ),
    MessageKind.OVERRIDE_REMOVED: (
        "Your role applies again in the project “prod”",
        "“Ana Díaz” removed the permissions that were set for you in the project “prod”",
    ),
    MessageKind.RESOURCES_GIVEN: (
        "You own more resources in the team “Acme Robotics”",
        "Hello Bo Li, “Ana Díaz” gave you resources in the team “Acme Robotics” that belonged to",
    ),
    MessageKind.ACCOUNT_MOVED: (
        "The account “Acme Robotics” has new roles and permissions",
        "Your platform moved the account “Acme Robotics” to the roles and permissions “Print",
    ),
    MessageKind.USER_DISABLED: (
        "Your sign-in at Rolecall is disabled",
        "Hello Bo Li, the platform has disabled your sign-in at Rolecall.",
    ),
    MessageKind.USER_ERASED: (
        "Your sign-in at Rolecall is deleted",
        "Hello Bo Li, your sign-in at Rolecall is deleted, as you asked. You are signed out",
    ),
    MessageKind.USER_ENABLED: (
        "You can sign in at Rolecall again",
        "Hello Bo Li, your sign-in at Rolecall is enabled again.",
    ),
    MessageKind.ACCOUNT_SUSPENDED: (
        "Your account “Acme Robotics” has been suspended",
        "Hello Bo Li, the platform has suspended your account “Acme Robotics”.",
    ),
    MessageKind.ACCOUNT_RESUMED: (
        "Your account “Acme Robotics” works again",
        "Hello Bo Li, the suspension of your account “Acme Robotics” is over.",
    ),
    MessageKind.ACCOUNT_DELETED: (
        "You deleted the account “Acme Robotics”: you can undo it until 31 March 2026, 12:00 UTC",
        "Hello Bo Li, you deleted the account “Acme Robotics”.",
    ),
    MessageKind.ACCOUNT_RESTORED: (
        "You restored the account “Acme Robotics”",
        "Hello Bo Li, you restored the account “Acme Robotics”.",
    ),
    MessageKind.ACCESS_ENDED: (
        "The team “Acme Robotics” has been deleted",
        "“Ana Díaz” deleted the team “Acme Robotics”.",
    ),
    MessageKind.ACCESS_RESTORED: (
        "The team “Acme Robotics” is back",
        "“Ana Díaz” restored the team “Acme Robotics”.",
    ),
    MessageKind.SECOND_FACTOR_DEMANDED: (
        "The team “Acme Robotics” now requires a second factor",
        "“Ana Díaz” decided that every member of the team “Acme Robotics” needs a second factor",
    ),
    MessageKind.OWNERSHIP_OFFERED: (
        "“Ana Díaz” wants to make you the owner of the team “Acme Robotics”",
        "“Ana Díaz” offers you the ownership of the team “Acme Robotics” on Rolecall.",
    ),
    MessageKind.OWNERSHIP_TRANSFERRED: (
        "“Bo Li” is now the owner of the team “Acme Robotics”",
        "“Bo Li” (bo@example.com) accepted your offer and is now the owner of the team",
    ),
    MessageKind.OWNERSHIP_DECLINED: (
        "“Bo Li” declined the ownership of the team “Acme Robotics”",
        "“Bo Li” (bo@example.com) declined the ownership of the team “Acme Robotics”.",
    ),
    MessageKind.OWNERSHIP_CANCELLED: (
        "The offer to own the team “Acme Robotics” was taken back",
        "“Ana Díaz” took back the offer to make you the owner of the team “Acme Robotics”.",
    ),
    MessageKind.OWNERSHIP_OFFER_ENDED: (
        "The offer to own the team “Acme Robotics” has ended",
        "“Ana Díaz” offered the ownership of the team “Acme Robotics” to “Bo Li”",
    ),
    MessageKind.SIGNED_OUT: (
        "We signed you out to protect your account",
        "Hello Bo Li, we ended one of your sign-ins because an outdated copy of it was used.",
    ),
    MessageKind.EMAIL_CHANGE: (
        "Confirm your new e-mail address for Rolecall",
        "Hello Bo Li, your account at Rolecall is to have the address bo@example.com.",
    ),
    MessageKind.EMAIL_CHANGE_REQUESTED: (
        "A change of your e-mail address was requested at Rolecall",
        "Hello Bo Li, on 1 March 2026",
    ),
    MessageKind.EMAIL_WANTED: (
        "Your e-mail address was entered for another account at Rolecall",
        "Hello Bo Li, a user of Rolecall asked to use your address bo@example.com",
    ),
    MessageKind.EMAIL_CHANGED: (
        "Your e-mail address for Rolecall was changed",
        "Hello Bo Li, on 1 March 2026",
    ),
    MessageKind.EMAIL_RESTORED: (
        "The change of your e-mail address at Rolecall was taken back",
        "Hello Bo Li, on 1 March 2026",
    ),
    MessageKind.NEW_DEVICE: (
        "A new device signed in to your account at Rolecall",
        "Hello Bo Li, your account at Rolecall was signed in to from a device or network that",
    ),
}


@pytest.mark.parametrize("kind", MessageKind)
def test_subject_and_first_sentence_say_what_happened(kind):
    content = content_of(kind)
    subject, sentence = OPENINGS[kind]
    assert content.subject == subject
    title, _, body = " ".join(content.text.split()).partition(sentence)
    assert title.strip()
    assert (
        title.strip()
        == visible(content.html).partition(sentence)[0].removeprefix("Rolecall ").strip()
    )
    assert body


@pytest.mark.parametrize("kind", MessageKind)
def test_every_mail_says_why_it_was_sent(kind):
    assert " You received this e-mail because " in " ".join(content_of(kind).text.split())


@pytest.mark.parametrize("kind", MessageKind)
def test_a_mail_has_the_same_words_as_text_and_as_html(kind):
    content = content_of(kind, signs_in_again="yes")
    paragraphs = [" ".join(part.split()) for part in content.text.split("\n\n")]
    pages = tuple(PAGES.get(kind, ()))
    words = [
        part.removeprefix("-- ")
        for part in paragraphs
        if "https://" not in part or part.endswith(pages)
    ]
    assert words
    html = visible(content.html)
    for part in words:
        assert part in html, part
    shown_twice_in_html = "If the button does not work, copy this address into your browser:"
    rest = html.replace(shown_twice_in_html, "")
    for part in sorted(words, key=len, reverse=True):
        rest = rest.replace(part, "", 1)
    assert set(rest.split()) <= {"Rolecall", LINK.url, *BUTTONS.get(kind, "").split()}


@pytest.mark.parametrize("kind", MessageKind)
def test_a_mail_loads_nothing_and_needs_no_image(kind):
    html = content_of(kind).html.lower()
    assert not re.search(r"<img|<script|<link|<iframe|url\(|\ssrc=", html)


@pytest.mark.parametrize("kind", sorted(WITH_LINK))
def test_a_mail_with_a_link_has_a_button_and_the_address(kind):
    content = content_of(kind)
    assert LINK.url in content.text
    assert content.html.count(f'href="{LINK.url.replace("&", "&amp;")}"') == 2
    assert BUTTONS[kind] in visible(content.html)
    assert f"{BUTTONS[kind]}:\n{LINK.url}\n" in content.text
    assert LINK.url in visible(content.html)
    assert "enter this code" not in content.text + content.html


@pytest.mark.parametrize("kind", sorted(set(MessageKind) - WITH_LINK))
def test_a_mail_without_a_link_has_no_button(kind):
    content, pages = content_of(kind), PAGES.get(kind, ())
    assert content.html.count("<a ") == 1 + len(pages)  # one is the product's name at the end
    for page in pages:
        address = f"{SENDER.public_url}{page}"
        assert f'href="{address}"' in content.html
        assert f"{address}\n" in content.text


REQUESTS = {f"{route.method} {route.path}" for route in (*IDENTITY, *TEAM)}
NEEDED = {
    MessageKind.VERIFY_EMAIL: {"POST /v1/email/verify"},
    MessageKind.PASSWORD_RESET: {"POST /v1/password/reset"},
    MessageKind.INVITATION: {
        "POST /v1/invitations/lookup",
        "POST /v1/invitations/accept",
        "POST /v1/signup",
    },
    MessageKind.ACCOUNT_EXISTS: {"POST /v1/login", "POST /v1/password/forgot"},
    MessageKind.PASSWORD_CHANGED: {"POST /v1/password/forgot"},
    MessageKind.SECOND_FACTOR_ADDED: {"POST /v1/mfa/take-back"},
    MessageKind.SECOND_FACTOR_REMOVED: {"POST /v1/password/forgot"},
    MessageKind.SECOND_FACTOR_DEMANDED: {"POST /v1/me/mfa/totp"},
    MessageKind.RECOVERY_CODES_REPLACED: {"POST /v1/password/forgot"},
    MessageKind.RECOVERY_CODE_USED: {"POST /v1/password/forgot"},
    MessageKind.PASSKEY_COPY_SUSPECTED: {"POST /v1/password/forgot"},
    MessageKind.TOKEN_CREATED: {"POST /v1/password/forgot"},
    MessageKind.TOKEN_EXPIRY: {"POST /v1/accounts/{account_id}/api-tokens"},
    MessageKind.NEW_DEVICE: {"POST /v1/password/forgot"},
    MessageKind.IDENTITY_LINKED: {"POST /v1/password/forgot"},
    MessageKind.IDENTITY_UNLINKED: {"POST /v1/password/forgot"},
    MessageKind.EMAIL_CHANGE: {"POST /v1/me/email/confirm"},
    MessageKind.EMAIL_CHANGE_REQUESTED: {"POST /v1/password/forgot"},
    MessageKind.EMAIL_CHANGED: {"POST /v1/email/undo"},
    MessageKind.EMAIL_RESTORED: {"POST /v1/password/forgot"},
    MessageKind.OWNERSHIP_OFFERED: {
        "POST /v1/accounts/{account_id}/ownership-transfer/accept",
        "POST /v1/accounts/{account_id}/ownership-transfer/decline",
    },
    MessageKind.ACCOUNT_DELETED: {"POST /v1/accounts/{account_id}/restore"},
}
ADDRESS = re.compile(r"(?:\b([A-Z]+) )?(https?://[^/\s]+)(/[^\s#?]*)?([#?]\S+)?")


@pytest.mark.parametrize("kind", MessageKind)
def test_without_pages_a_mail_names_requests_that_exist(kind):
    content = render(a_message(kind), link_of(kind), sender=WITHOUT_PAGES, now=NOON)
    assert re.findall('href="([^"]*)"', content.html) == [SENDER.public_url]
    assert not re.search(r"\b(page|button|browser|click|console|menu|list)\b", content.text)
    for shown in (" ".join(content.text.split()), visible(content.html)):
        found = ADDRESS.findall(shown)
        assert {host for _, host, _, _ in found} <= {SENDER.public_url}
        assert not any(fragment for *_, fragment in found)
        assert "{" not in shown
        named = {
            f"{method} {path}".replace("/acc_1/", "/{account_id}/")
            for method, _, path, _ in found
            if method or path
        }
        assert named <= REQUESTS
        assert named == NEEDED.get(kind, set())
        assert (LINK.proof in shown) is (kind in WITH_LINK)


@pytest.mark.parametrize("kind", MessageKind)
def test_with_pages_a_mail_leads_to_pages_of_the_setting_only(kind):
    described = str(Settings.model_fields["pages"].description)
    for shown in (content_of(kind).text, visible(content_of(kind).html)):
        assert not re.search("POST|/v1/", shown)
        for *_, path, _ in ADDRESS.findall(shown):
            assert not path or f" {path}" in described, path


@pytest.mark.parametrize(
    ("expires_in", "sentence"),
    [
        (timedelta(days=7), "valid for 7 days, until 12 March 2026, 12:00 UTC."),
        (timedelta(hours=24), "valid for 24 hours, until 6 March 2026, 12:00 UTC."),
        (timedelta(hours=72), "valid for 3 days, until 8 March 2026, 12:00 UTC."),
        (None, "stays valid until you use it or the team withdraws it."),
    ],
)
def test_an_invitation_says_how_long_it_is_valid(expires_in, sentence):
    text = " ".join(content_of(MessageKind.INVITATION, expires_in=expires_in).text.split())
    assert f"The invitation {'is ' if expires_in else ''}{sentence}" in text


def test_a_mail_calls_a_project_as_the_catalog_does():
    for kind in (MessageKind.OVERRIDE_SET, MessageKind.OVERRIDE_REMOVED):
        content = content_of(kind, project_word="cluster")
        assert "in the cluster “prod”" in content.subject
        assert "project" not in content.text + content.html


def test_an_invitation_names_the_inviter_the_team_and_the_role():
    text = " ".join(content_of(MessageKind.INVITATION).text.split())
    assert "“Ana Díaz” invited you to the team “Acme Robotics” on Rolecall." in text
    assert "Your role will be “Developer”." in text


def test_a_role_change_that_ends_sessions_says_so():
    assert "Sign in again" in content_of(MessageKind.ROLE_CHANGED, signs_in_again="yes").text
    assert "Sign in again" not in content_of(MessageKind.ROLE_CHANGED).text


def test_a_former_owner_is_told_of_a_new_personal_account_they_have():
    kind = MessageKind.OWNERSHIP_TRANSFERRED
    assert "new, empty personal account" in " ".join(content_of(kind).text.split())
    assert "personal account" not in content_of(kind, personal="").text


def test_an_owner_without_members_is_told_of_no_members():
    for kind in (MessageKind.ACCOUNT_DELETED, MessageKind.ACCOUNT_RESTORED):
        assert re.search("members have|its members", content_of(kind).text)
        alone = content_of(kind, members="", personal="").text
        assert not re.search("members|invitations|personal account", alone)


HELPS = {
    MessageKind.RECOVERY_CODES_REPLACED: "A new password does not end these codes.",
    MessageKind.RECOVERY_CODE_USED: "A new password does not end the codes that are left.",
    MessageKind.TOKEN_CREATED: "A new password does not end the token.",
}


@pytest.mark.parametrize("kind", HELPS)
def test_a_mail_says_what_undoes_an_act_that_a_new_password_does_not_end(kind):
    for sender in (SENDER, WITHOUT_PAGES):
        text = " ".join(render(a_message(kind), None, sender=sender, now=NOON).text.split())
        assert HELPS[kind] in text
        assert "ask the support of Rolecall" in text
        assert "If it was not, reset your password now" in text


@pytest.mark.parametrize(("locale", "shown"), [(Locale.EN, "“Key”"), (Locale.DE, "„Key“")])
def test_the_name_of_a_passkey_is_in_quotation_marks(locale, shown):
    kind = MessageKind.PASSKEY_COPY_SUSPECTED
    message = replace(a_message(kind, passkey_name="Key"), locale=locale)
    assert shown in render(message, None, sender=SENDER, now=NOON).text


def test_a_mail_names_a_device_in_the_language_of_its_reader():
    message = replace(a_message(MessageKind.NEW_DEVICE, device="Unknown device"), locale=Locale.DE)
    text = render(message, None, sender=SENDER, now=NOON).text
    assert "Gerät: Unbekanntes Gerät" in text


def test_a_mail_about_a_new_device_does_not_say_how_the_sign_in_was_proved():
    text = " ".join(content_of(MessageKind.NEW_DEVICE).text.split())
    assert "your password was used" not in text
    assert "remove every second factor and every other way to sign in" in text


def test_a_factor_that_the_platform_removed_is_not_asked_about():
    content = content_of(MessageKind.SECOND_FACTOR_REMOVED, by_platform="yes")
    text = " ".join(content.text.split())
    assert "the platform has removed the app that makes codes from your sign-in" in text
    assert "If you asked for this, sign in and add a second factor again." in text
    assert not re.search("If this was you|forgot-password", text)


@pytest.mark.parametrize("locale", Locale)
def test_an_inviter_reads_why_the_mail_was_not_delivered(locale):
    texts = set()
    for because in (*BounceCause, "", "of-a-later-version"):
        message = a_message(MessageKind.INVITATION_BOUNCED, because=because)
        shown = render(replace(message, locale=locale), None, sender=SENDER, now=NOON)
        texts.add(shown.text)
        assert "of-a-later-version" not in shown.text
    assert len(texts) == len(BounceCause) + 1


@pytest.mark.parametrize("locale", Locale)
def test_a_factor_that_was_taken_back_is_told_with_all_that_ended(locale):
    message = replace(a_message(MessageKind.SECOND_FACTOR_REMOVED, taken_back="yes"), locale=locale)
    text = " ".join(render(message, None, sender=SENDER, now=NOON).text.split())
    assert re.search("Your password, your sessions|Auch Ihr Passwort, Ihre Sitzungen", text)
    assert "/forgot-password" in text
    assert not re.search("If this was you|Falls Sie das waren", text)


def test_a_mail_that_an_earlier_version_queued_has_its_text():
    later = {"members", "personal", "new_catalog", "by_platform", "taken_back", "because"}
    words = {name: text for name, text in WORDS.items() if name not in later}
    for kind in (
        MessageKind.ACCOUNT_DELETED,
        MessageKind.ACCOUNT_RESTORED,
        MessageKind.ROLE_CHANGED,
        MessageKind.SECOND_FACTOR_REMOVED,
        MessageKind.TOKEN_CREATED,
    ):
        message = replace(a_message(kind), words=words)
        assert render(message, None, sender=SENDER, now=NOON).text


def test_the_mail_about_a_new_token_names_its_account():
    made = " ".join(content_of(MessageKind.TOKEN_CREATED).text.split())
    assert "It acts for you in the account “Acme Robotics” until" in made
    words = {name: text for name, text in WORDS.items() if name != "account"}
    unnamed = replace(a_message(MessageKind.TOKEN_CREATED), words=words)
    made = " ".join(render(unnamed, None, sender=SENDER, now=NOON).text.split())
    assert "It acts for you in one of your accounts until" in made


def test_a_role_of_another_catalog_is_told_with_the_catalog():
    moved = content_of(MessageKind.ROLE_CHANGED, new_catalog="Print Shop").text
    assert "has moved to the roles and permissions “Print Shop”" in " ".join(moved.split())


def test_an_offer_that_ended_with_the_membership_says_so():
    ended = " ".join(content_of(MessageKind.OWNERSHIP_OFFER_ENDED, expired="").text.split())
    assert "not an active member of the team any more" in ended
    assert "You are still the owner" in ended
    assert not re.search(r"expired|The owner\b|to you\b", ended)


def test_a_member_who_left_is_not_told_of_a_removal_by_another():
    reverted = content_of(MessageKind.REMOVED, reverted="yes")
    assert "the owner turned the team “Acme Robotics” back into" in visible(reverted.html)
    left = content_of(MessageKind.REMOVED, left="yes")
    assert left.subject.startswith("You left the team ")
    assert "you left the team" in " ".join(left.text.split())


@pytest.mark.parametrize("kind", MessageKind)
def test_names_without_a_visible_character_leave_whole_sentences(kind):
    content = content_of(kind, **dict.fromkeys(set(WORDS) - {"email", "signs_in_again"}, "\u200b"))
    assert "  " not in content.subject
    assert not re.search(r"Hello [,.]|\b(?:in|to|the team|project|role|because) [.,]", content.text)
    assert not re.search(r"[a-z,] An? (?:admin|member)", " ".join(content.text.split("\n")))


@pytest.mark.rule("T13")
@pytest.mark.parametrize("kind", MessageKind)
@pytest.mark.parametrize("contact", ["+49 30 1234567", "pay@evil.example", "evil.example/pay"])
def test_a_stored_name_with_a_contact_is_replaced(kind, contact):
    stored = f"Rolecall helpdesk, write or call {contact}"
    content = content_of(kind, **dict.fromkeys(NAMED, stored))
    shown = " ".join((content.subject + content.text + visible(content.html)).split())
    assert "helpdesk" not in shown
    assert contact not in shown


@pytest.mark.rule("T13")
def test_the_names_in_an_invitation_stand_in_quotation_marks():
    said = "Your account is closed” by Rolecall. Team “A"
    content = content_of(MessageKind.INVITATION, inviter=said, account=said)
    shown = said.replace("“", "\u2019").replace("”", "\u2019")
    expected = f"“{shown}” invited you to the team “{shown}”"
    assert content.subject == expected
    assert expected in " ".join(content.text.split())
    assert expected in visible(content.html)


@pytest.mark.parametrize("kind", MessageKind)
def test_a_mail_has_the_same_message_id_each_time_it_is_composed(kind):
    first, again = mail_of(kind)[1], mail_of(kind)[1]
    expected = f"<{a_message(kind).id}@cloud.example>"
    assert first["Message-ID"] == again["Message-ID"] == expected


def test_a_mail_has_the_configured_sender_a_text_and_an_html_part():
    mail, parsed = mail_of(MessageKind.INVITATION)
    assert (mail.sender, mail.recipient) == ("no-reply@mail.example", "bo@example.com")
    assert str(parsed["From"]) == "Rolecall <no-reply@mail.example>"
    assert str(parsed["To"]) == "bo@example.com"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998


HEADERS = {
    "from",
    "to",
    "subject",
    "message-id",
    "date",
    "auto-submitted",
    "content-language",
    "mime-version",
    "content-type",
}
PAYLOADS = [
    "Acme\r\nBcc: victim@x.example",
    "Acme\nBcc: victim@x.example",
    "Acme\rBcc: victim@x.example",
    "Acme\r\n\r\n<html>another body</html>",
    "Acme\x0b\x0cBcc: victim@x.example",
    "Acme\u2028Bcc: victim@x.example",
    "Acme\u0085Bcc: victim@x.example",
    "=?utf-8?q?x=0d=0aBcc:victim@x.example?=",
    "=?UTF-8?B?eA0KQmNjOiB2aWN0aW1AeC5leGFtcGxl?=",
    "=?utf-8?q?=0d=0a=0d=0aanother_body?=",
    "a =?iso-8859-1?q?=0aBcc:_victim@x.example?= b",
    "=\u200b?utf-8?q?x=0d=0aBcc:victim@x.example?=",
    "==??utf-8?q?x=0d=0aBcc:victim@x.example?==",
    "Acme\x00Bcc: victim@x.example",
    "%0d%0aBcc: victim@x.example",
    "\\r\\nBcc: victim@x.example",
    '"><script>alert(1)</script>',
    "<img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% include 'layout.txt' %}",
    "https://evil.example/login",
    "evil.example",
    "www.evil.example/login@x.org",
    "evil.example?next=1@x.org",
    "sign-in@evil.example",
    "evil.\u200dexample",
    "evil\u200c.example",
    "\u202eexample.live",
    "\ud800",
    "x" * 5000,
    "ﷺ" * 500,
]
NAMED = ("account", "inviter", "owner", "name", "role", "member", "actor", "project")


@pytest.mark.rule("T13")
@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        pytest.param(kind, payload, id=f"{kind}-{number}")
        for kind, (number, payload) in pairs(
            MessageKind,
            lambda _: enumerate(PAYLOADS),
            kind=lambda _: "a mail",
            one_in=min(
                ONE_PAIR_IN, 2
            ),  # each mail gets one of two neighbours, which are of one sort
        )
    ],
)
def test_a_name_adds_no_header_recipient_body_link_or_markup(kind, payload):
    address = WORDS["email"] if mailbox_of(payload) else payload
    mail, parsed = mail_of(kind, **dict.fromkeys(NAMED, payload), email=address)
    assert mail.recipient == "bo@example.com"
    raw_headers = mail.content.split(b"\r\n\r\n", 1)[0]
    names = re.findall(rb"^([A-Za-z-]+):", raw_headers, re.MULTILINE)
    assert sorted(name.decode().lower() for name in names) == sorted(HEADERS)
    assert {name.lower() for name in parsed} == HEADERS
    assert str(parsed["Subject"]).splitlines() == [str(parsed["Subject"])]
    text, html = (part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts())
    assert "evil.example" not in re.sub("[\u200c\u200d]", "", text + html)
    assert "<script" not in html
    assert "<img" not in html
    assert "49" not in visible(html)
    assert html.count("</html>") == 1


@pytest.mark.rule("T13")
@pytest.mark.parametrize(
    "value",
    [
        "a\r\nb",
        "a\nb",
        "a\rb",
        "a\x00b",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "=?utf-8?q?x=0d=0aBcc:v@x.example?=",
        "a =?",
        "a\ud800b",
        "x" * 401,
    ],
)
def test_the_header_guard_refuses_values_that_could_be_more_than_one(value):
    with pytest.raises(UnsafeHeader):
        safe_header(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Acme",
        "Ana Díaz",
        "研究チーム",
        "\U0001f469\u200d\U0001f680",
        "a = ? b",
        "a?=b",
        "x" * 400,
    ],
)
def test_the_header_guard_returns_a_safe_value_unchanged(value):
    assert safe_header(value) == value


ENCODED_WORD = "=?utf-8?q?x=0d=0aBcc:victim@x.example?="


@pytest.mark.rule("T13")
@pytest.mark.parametrize(
    "changed",
    [
        {"name": ENCODED_WORD},
        {"name": "Rolecall\r\nBcc: victim@x.example"},
        {"address": "no-reply@mail.example\r\nBcc: victim@x.example"},
        {"product": ENCODED_WORD},
        {"product": "Rolecall\x00Bcc: victim@x.example"},
        {"public_url": "https://cloud\u202e.example"},
    ],
    ids=str,
)
def test_every_header_passes_the_guard(changed):
    """The words of the configuration are not cleaned, so only the guard stops these."""
    sender = replace(SENDER, **changed)
    with pytest.raises(UnsafeHeader):
        compose(a_message(MessageKind.VERIFY_EMAIL), LINK, sender=sender, now=NOON)


def test_a_list_of_recipients_is_undeliverable():
    with pytest.raises(Undeliverable):
        mail_of(MessageKind.REMOVED, recipient="v@x.example,evil@x.example")


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.rule("T29")
def test_a_checkpoint_arrives_as_it_was_signed(locale):
    """Who saves the lines of the mail can verify a log with them, letter for letter."""
    origin, signature = "rolecall.example/audit/acc_" + "0" * 32, "Az+/" * 30 + "Az0="
    lines = [origin, "4369911223344", "CsUY+/0664=", "", f"— {origin} {signature}"]
    words = {"origin": lines[0], "size": lines[1], "root": lines[2], "signature": lines[4]}
    message = replace(a_message(MessageKind.AUDIT_CHECKPOINT, **words), locale=locale)
    mail = compose(message, None, sender=SENDER, now=NOON)
    parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
    text, html = (part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts())
    assert "\n" + "\n".join(lines) + "\n" in text
    assert ">" + "\n".join(lines) + "</pre>" in html


HEBREW, ARABIC = "\u05de\u05e9\u05d4", "\u0639\u0644\u064a"


@pytest.mark.parametrize("kind", MessageKind)
def test_a_name_from_right_to_left_keeps_its_place_and_the_subject_is_safe(kind):
    """Two of them side by side would change places, with the quotation marks between them."""
    names = dict.fromkeys(("name", "inviter", "owner", "member", "former"), ARABIC)
    words = names | dict.fromkeys(("account", "actor", "project", "role", "label"), HEBREW)
    message = a_message(kind, **words)
    content = render(message, link_of(kind), sender=SENDER, now=NOON)
    compose(message, link_of(kind), sender=SENDER, now=NOON)
    for name in (HEBREW, ARABIC):
        for shown in (content.text, content.html.partition("<body")[2]):
            assert shown.count(name) == shown.count(f"\u2068{name}\u2069")
        assert f"\u2068{name}" not in content.subject


def test_names_from_left_to_right_stand_without_hidden_characters():
    content = content_of(MessageKind.ROLE_CHANGED)
    assert not {"\u2068", "\u2069"} & {*content.text, *content.html}
