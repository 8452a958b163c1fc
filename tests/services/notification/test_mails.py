"""What does a mail say, and can anybody add to it?"""

import email
import email.policy
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from services.notification import mails
from services.notification.domain import Kind, Link, Message, message_id
from services.notification.mails import Sender, UnsafeHeader, compose, header, render
from services.notification.names import deliverable
from shared.contracts.facts import Actor, Caller, RequestInfo
from tests.services.rows import NOON

SENDER = Sender(
    address="no-reply@mail.example",
    name="Rolecall",
    product="Rolecall",
    public_url="https://cloud.example:8443",
)
CALLER = Caller(actor=Actor(type="service", id="notification"), request=RequestInfo(request_id="r"))
LINK = Link(
    url="https://cloud.example/invitations#token=inv_1.1.abc&code=K7QM2XWP", code="K7QM2XWP"
)
WORDS = {
    "name": "Bo Li",
    "account": "Acme Robotics",
    "inviter": "Ana Díaz",
    "role": "Developer",
    "email": "bo@example.com",
    "member": "Bo Li",
    "actor": "Ana Díaz",
    "project": "prod",
    "signs_in_again": "",
}
WITH_LINK = {Kind.INVITATION, Kind.VERIFY_EMAIL}


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
    words = []

    class Reader(HTMLParser):
        def handle_data(self, data):
            words.append(data)

    Reader().feed(html.partition("<body")[2])
    return " ".join(" ".join(words).split())


SUBJECTS = {
    Kind.VERIFY_EMAIL: "Verify your e-mail address for Rolecall",
    Kind.INVITATION: "Ana Díaz invited you to Acme Robotics",
    Kind.INVITATION_ACCEPTED: "Bo Li joined Acme Robotics",
    Kind.INVITATION_DECLINED: "bo@example.com declined your invitation to Acme Robotics",
    Kind.ROLE_CHANGED: "Your role in Acme Robotics is now Developer",
    Kind.REMOVED: "You were removed from Acme Robotics",
    Kind.OVERRIDE_SET: "Your permissions in prod changed",
    Kind.OVERRIDE_REMOVED: "Your role counts in prod again",
    Kind.SIGNED_OUT: "We signed you out to protect your account",
}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_subject_that_says_it_all(kind):
    assert content_of(kind).subject == SUBJECTS[kind]


@pytest.mark.parametrize("kind", Kind)
def test_a_mail_has_the_same_words_as_text_and_as_html(kind):
    content = content_of(kind)
    html = visible(content.html)
    for paragraph in content.text.partition("\n-- \n")[0].split("\n\n"):
        if "https://" not in paragraph and "code:" not in paragraph:
            assert " ".join(paragraph.split()) in html.replace(" ,", ",").replace(
                " .", "."
            ).replace("( ", "(").replace(" )", ")")


@pytest.mark.parametrize("kind", Kind)
def test_a_mail_loads_nothing_and_needs_no_image(kind):
    html = content_of(kind).html.lower()
    assert not re.search(r"<img|<script|<link|<iframe|url\(|\ssrc=", html)


@pytest.mark.parametrize("kind", sorted(WITH_LINK))
def test_a_mail_with_a_link_has_one_button_the_address_to_copy_and_the_code(kind):
    content = content_of(kind)
    assert LINK.url in content.text
    assert "Or enter this code: K7QM2XWP" in content.text
    assert content.html.count(f'href="{LINK.url.replace("&", "&amp;")}"') == 2
    assert LINK.url in visible(content.html)
    assert "K7QM2XWP" in visible(content.html)


@pytest.mark.parametrize("kind", sorted(set(Kind) - WITH_LINK))
def test_a_mail_without_a_link_has_no_button(kind):
    assert content_of(kind).html.count("<a ") == 1  # the product's name at the end


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
    text = " ".join(content_of(Kind.INVITATION, expires_in=expires_in).text.split())
    assert f"The invitation {'is ' if expires_in else ''}{sentence}" in text


def test_an_invitation_says_who_invited_to_what_and_as_what():
    text = " ".join(content_of(Kind.INVITATION).text.split())
    assert "Ana Díaz invited you to the team Acme Robotics on Rolecall." in text
    assert "Your role will be Developer." in text


def test_a_role_change_that_ends_sessions_says_so():
    assert "Sign in again" in content_of(Kind.ROLE_CHANGED, signs_in_again="yes").text
    assert "Sign in again" not in content_of(Kind.ROLE_CHANGED).text


@pytest.mark.parametrize("kind", Kind)
def test_names_that_clean_to_nothing_leave_a_whole_sentence(kind):
    content = content_of(kind, **dict.fromkeys(set(WORDS) - {"email", "signs_in_again"}, "\u200b"))
    assert "  " not in content.subject
    assert not re.search(r"Hello [,.]|\b(?:in|to|the team|project) [.,]", content.text)


@pytest.mark.parametrize("kind", Kind)
def test_a_mail_carries_its_message_id_however_often_it_is_composed(kind):
    first, again = mail_of(kind)[1], mail_of(kind)[1]
    expected = f"<{a_message(kind).id}@cloud.example>"
    assert first["Message-ID"] == again["Message-ID"] == expected


def test_a_mail_is_one_from_the_configured_sender_with_text_and_html():
    mail, parsed = mail_of(Kind.INVITATION)
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
NAMED = ("account", "inviter", "name", "role", "member", "actor", "project")


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
@pytest.mark.parametrize("kind", Kind)
def test_no_name_adds_a_header_a_recipient_a_body_a_link_or_markup(kind, payload):
    address = WORDS["email"] if deliverable(payload) else payload
    mail, parsed = mail_of(kind, **dict.fromkeys(NAMED, payload), email=address)
    assert mail.recipient == "bo@example.com"
    raw_headers = mail.content.split(b"\r\n\r\n", 1)[0]
    names = re.findall(rb"^([A-Za-z-]+):", raw_headers, re.MULTILINE)
    assert sorted(name.decode().lower() for name in names) == sorted(HEADERS)
    assert {name.lower() for name in parsed} == HEADERS
    assert str(parsed["Subject"]).splitlines() == [str(parsed["Subject"])]
    text, html = (part.get_content() for part in parsed.iter_parts())
    assert "evil.example" not in re.sub("[\u200c\u200d]", "", text + html)
    assert "<script" not in html
    assert "<img" not in html
    assert "49" not in visible(html)
    assert html.count("</html>") == 1


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
def test_the_guard_of_headers_refuses_what_could_be_more_than_a_value(value):
    with pytest.raises(UnsafeHeader):
        header(value)


def test_the_guard_alone_stops_an_encoded_word_when_names_are_not_cleaned(monkeypatch):
    monkeypatch.setattr(mails, "shown", lambda _, text: text)
    with pytest.raises(UnsafeHeader):
        mail_of(Kind.INVITATION, account="=?utf-8?q?x=0d=0aBcc:victim@x.example?=")


def test_a_list_of_recipients_is_no_recipient():
    with pytest.raises(mails.Undeliverable):
        mail_of(Kind.REMOVED, recipient="v@x.example,evil@x.example")
