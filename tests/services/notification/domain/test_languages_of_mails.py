"""Each mail in each language: the same facts, names and requests, and no foreign word."""

import email
import email.policy
import re
from dataclasses import replace
from email.header import decode_header, make_header

import pytest
from jinja2 import Environment, nodes

from services.notification.domain.mails import TEMPLATE_FOLDER, compose, render
from services.notification.domain.messages import MessageKind
from services.notification.domain.names import MOMENTS, mailbox_of
from services.notification.domain.wording import stored_moment
from shared.locales import Locale
from tests.services.notification.domain.test_mails import (
    ADDRESS,
    HEADERS,
    NAMED,
    NEEDED,
    PAYLOADS,
    SENDER,
    WITHOUT_PAGES,
    WORDS,
    a_message,
    link_of,
    visible,
)
from tests.services.rows import NOON

PARSER = Environment(autoescape=True)
PARSER.filters |= dict.fromkeys(("quoted", "strong", "greeting", "address"), str)
ENGLISH = re.compile(r"\b(you|your|hello|the|received|because|are|has|and|of|to)\b", re.IGNORECASE)
IN_ZONE = {**WORDS, **dict.fromkeys(MOMENTS, stored_moment(NOON)), "event": "proved"}
PAYLOADS_OF_A_KIND = 3


def blocks(locale, name):
    """What each block of a template shows: its placeholders, and the paths that it names."""
    source = (TEMPLATE_FOLDER / locale / name).read_text()
    found = {}
    for block in PARSER.parse(source).find_all(nodes.Block):
        text = "".join(data.data for data in block.find_all(nodes.TemplateData))
        constants = {
            str(each.value) for each in block.find_all(nodes.Const) if str(each.value)[:1] == "/"
        }
        found[block.name] = (
            {each.name for each in block.find_all(nodes.Name) if each.ctx == "load"},
            constants | set(re.findall(r"[A-Z]+ ?(?=$)|/v1/\S*|/[a-z-]+/[a-z-]+", text)),
        )
    return found


def german(kind, sender=SENDER, **words):
    message = replace(
        a_message(kind), locale=Locale.DE, time_zone="Europe/Berlin", words=IN_ZONE | words
    )
    return render(message, link_of(kind), sender=sender, now=NOON)


@pytest.mark.parametrize("locale", Locale)
def test_every_kind_of_message_has_a_text_in_each_language(locale):
    names = {path.name for path in (TEMPLATE_FOLDER / locale).iterdir()}
    assert names == {f"{kind}.j2" for kind in MessageKind}


@pytest.mark.parametrize("kind", MessageKind)
def test_the_texts_of_a_kind_show_the_same_in_each_language(kind):
    first, *others = [blocks(locale, f"{kind}.j2") for locale in Locale]
    assert all(other == first for other in others)


@pytest.mark.parametrize("kind", MessageKind)
def test_a_german_mail_has_no_english_word(kind):
    for sender in (SENDER, WITHOUT_PAGES):
        content = german(kind, sender)
        shown = ADDRESS.sub("", content.subject + content.text + visible(content.html))
        assert not ENGLISH.search(shown), ENGLISH.search(shown)
        assert " Sie erhalten diese E-Mail, weil " in " ".join(content.text.split())
        assert '<html lang="de">' in content.html


@pytest.mark.parametrize("kind", MessageKind)
def test_a_german_mail_names_the_same_requests(kind):
    text = " ".join(german(kind, WITHOUT_PAGES).text.split())
    named = {f"{method} {path}" for method, _, path, _ in ADDRESS.findall(text) if method or path}
    assert {name.replace("/acc_1/", "/{account_id}/") for name in named} == NEEDED.get(kind, set())


@pytest.mark.parametrize("kind", MessageKind)
def test_a_german_mail_names_moments_in_the_form_and_zone_of_its_reader(kind):
    content = german(kind)
    shown = " ".join(content.subject.split() + content.text.split())
    assert "UTC" not in shown
    assert not re.search(r"\d{4}-\d\d-\d\d", shown)
    assert shown.count("MEZ") == len(re.findall(r"\d\d?\. März 2026, \d\d:\d\d MEZ", shown))


@pytest.mark.parametrize("kind", MessageKind)
def test_german_sentences_stay_whole_without_any_name(kind):
    hidden = dict.fromkeys(set(WORDS) - {"email", "signs_in_again", *MOMENTS}, "\u200b")
    content = german(kind, **hidden)
    shown = " ".join(content.subject.split() + content.text.split())
    assert "  " not in content.subject
    assert not re.search(r"Guten Tag [,.]|\b(?:in|am|im|Team|Konto|Rolle|bei|weil) [,.]|„“", shown)


@pytest.mark.rule("T13")
@pytest.mark.parametrize("kind", MessageKind)
def test_a_name_adds_nothing_to_a_german_mail(kind):
    first = list(MessageKind).index(kind) * PAYLOADS_OF_A_KIND
    for number in range(first, first + PAYLOADS_OF_A_KIND):
        payload = PAYLOADS[number % len(PAYLOADS)]
        address = WORDS["email"] if mailbox_of(payload) else payload
        words = IN_ZONE | dict.fromkeys(NAMED, payload) | {"email": address}
        message = replace(a_message(kind), locale=Locale.DE, words=words)
        mail = compose(message, link_of(kind), sender=SENDER, now=NOON)
        parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
        assert {name.lower() for name in parsed} == HEADERS
        assert str(parsed["Content-Language"]) == "de"
        text, html = (part.get_content() for part in parsed.iter_parts())
        assert "evil.example" not in re.sub("[\u200c\u200d]", "", text + html)
        assert "<script" not in html
        assert "<img" not in html
        assert html.count("</html>") == 1


@pytest.mark.rule("T13")
def test_a_name_cannot_close_german_quotation_marks():
    said = "Ihr Konto ist zu“ von Rolecall. Team „A"
    content = german(MessageKind.INVITATION, inviter=said, account=said)
    shown = said.replace("“", "\u2019").replace("„", "\u2019")
    assert content.subject == f"„{shown}“ lädt Sie in das Team „{shown}“ ein"


def test_the_operators_and_text_of_a_mail_are_not_escaped_in_its_text():
    text = german(MessageKind.PASSWORD_RESET, name="Ana & Bo").text
    assert text.count("Guten Tag Ana & Bo,") == 1


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize("kind", MessageKind)
def test_a_subject_arrives_with_all_its_words(kind, locale):
    message = replace(a_message(kind), locale=locale, words=IN_ZONE)
    written = render(message, link_of(kind), sender=SENDER, now=NOON).subject
    content = compose(message, link_of(kind), sender=SENDER, now=NOON).content
    [line] = re.findall(rb"Subject: [^\r]*(?:\r\n[ \t][^\r]*)*", content.split(b"\r\n\r\n")[0])
    assert max(map(len, line.split(b"\r\n"))) <= 78
    read = email.message_from_bytes(content, policy=email.policy.default)
    assert str(read["Subject"]) == written
    assert str(make_header(decode_header(line.decode().removeprefix("Subject: ")))) == written
