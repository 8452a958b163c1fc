"""The text of each mail, and the mail as bytes."""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from services.notification.domain.catalog_words import read_words
from services.notification.domain.headers import UnsafeHeader, safe_header, subject_header
from services.notification.domain.mail_filters import (
    address_html,
    linked_html,
    linked_text,
    note_html,
)
from services.notification.domain.messages import MailLink, Message
from services.notification.domain.names import (
    MOMENTS,
    ORIGINS,
    display_text,
    isolated,
    mailbox_of,
    quoted,
    without_isolates,
)
from services.notification.domain.wording import (
    WORDINGS,
    Wording,
    format_duration,
    format_moment,
    shown_moment,
)
from shared.locales import Locale
from shared.origin_words import origin_words

TEMPLATE_FOLDER = Path(__file__).parent.parent / "templates"
TEXT_WIDTH = 76
_OF_EARLIER_VERSIONS = {
    "project_word": "project",
    **dict.fromkeys(("members", "personal", "new_catalog", "by_platform", "taken_back"), ""),
    **dict.fromkeys(("because", "description", "webhook_id", "stream_id"), ""),
}
"""Words that a message lacks which an earlier version stored."""
NO_DIGEST: Mapping[str, object] = MappingProxyType(
    {"listed": (), "more": 0, "count": 0, "switches": ()}
)


class Undeliverable(Exception):  # noqa: N818 - it names what was found
    """The recipient is not one plain address."""


@dataclass(frozen=True, kw_only=True)
class MailSender:
    """The address that mails come from, and the product that they speak of.

    `pages` says whether pages at `public_url` open the links. Without them a mail gives what works:
    the token, the code, and the request of the API that takes them.
    """

    address: str
    name: str
    product: str
    public_url: str
    pages: bool

    @property
    def host(self) -> str:
        """The host of the public address: the right side of every Message-ID."""
        return urlsplit(self.public_url).hostname or "localhost"


@dataclass(frozen=True, kw_only=True)
class MailContent:
    """A message in words: the subject, and the same text in two forms."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True)
class ListedText:
    """A message as a list shows it: its subject, and its first paragraphs."""

    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ComposedMail:
    """One mail as the mail server gets it (RFC 5322)."""

    sender: str
    recipient: str
    content: bytes


def render(
    message: Message,
    link: MailLink | None,
    *,
    sender: MailSender,
    now: datetime,
    unsubscribe_page: str | None = None,
    digest: Mapping[str, object] = NO_DIGEST,
) -> MailContent:
    """Write the subject, the text and the HTML in the recipient's language.

    Every name is shown as `names` allows, and every moment in the recipient's time zone.
    """
    words = _words(message, link, sender=sender, now=now)
    words |= digest
    words["unsubscribe_page"] = unsubscribe_page if sender.pages else None
    name = f"{message.kind}.j2"
    return MailContent(
        subject=_subject(message, words),
        text=_tidy(_TEXT[message.locale].get_template(name).render(words, layout="layout.txt")),
        html=_HTML[message.locale].get_template(name).render(words, layout="layout.html"),
    )


def _words(
    message: Message, link: MailLink | None, *, sender: MailSender, now: datetime
) -> dict[str, object]:
    wording, end = WORDINGS[message.locale], message.expires_at
    stored = {**_OF_EARLIER_VERSIONS, **read_words(message.words, message.locale)}
    shown = {field: _shown(field, text, message, wording) for field, text in stored.items()}
    return shown | {
        "product": sender.product,
        "public_url": sender.public_url,
        "account_id": message.account_id,
        "pages": sender.pages,
        "link": link,
        "recipient": display_text("email", message.recipient),
        "valid_for": end and format_duration(end - now, message.locale),
        "valid_until": end and format_moment(end, message.locale, message.time_zone),
        "wording": wording,
    }


def _block(message: Message, block: str, words: dict[str, object]) -> str:
    template = _TEXT[message.locale].get_template(f"{message.kind}.j2")
    return "".join(template.blocks[block](template.new_context({**words, "layout": "layout.txt"})))


def _shown(field: str, text: str, message: Message, wording: Wording) -> str:
    if field in MOMENTS:
        return shown_moment(text, message.locale, message.time_zone)
    if field in ORIGINS:
        return origin_words(text, message.locale)
    return wording.name_or_substitute(field, isolated(display_text(field, text)))


def render_entry(message: Message, *, sender: MailSender) -> ListedText:
    """Write the subject and the text of a message as a list shows them, as of its fact."""
    words = {**NO_DIGEST, **_words(message, None, sender=sender, now=message.created_at)}
    return ListedText(
        title=_subject(message, words),
        text="\n\n".join(_split(_block(message, "body", words))),
    )


def render_subject(message: Message, *, sender: MailSender) -> str:
    """Write the subject of a message, as of its fact."""
    words = {**NO_DIGEST, **_words(message, None, sender=sender, now=message.created_at)}
    return _subject(message, words)


def _subject(message: Message, words: dict[str, object]) -> str:
    return without_isolates(" ".join(_block(message, "subject", words).split()))


def compose(
    message: Message,
    link: MailLink | None,
    *,
    sender: MailSender,
    now: datetime,
    unsubscribe_url: str | None = None,
    unsubscribe_page: str | None = None,
    digest: Mapping[str, object] = NO_DIGEST,
) -> ComposedMail:
    """Compose the mail as bytes; its Message-ID is the same in every attempt.

    `digest` is what a digest lists.

    Mail programs offer `unsubscribe_url` to their user (RFC 8058); the mail's foot names the page.

    Raises:
        Undeliverable: the recipient is not one plain address.
        UnsafeHeader: a header's value is refused by the check.
    """
    recipient = mailbox_of(message.recipient)
    if recipient is None:
        raise Undeliverable(message.id)
    content = render(
        message, link, sender=sender, now=now, unsubscribe_page=unsubscribe_page, digest=digest
    )
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(
        display_name=safe_header(sender.name), addr_spec=safe_header(sender.address)
    )
    mail["To"] = safe_header(recipient)
    mail["Message-ID"] = safe_header(f"<{message.id}@{sender.host}>")
    mail["Date"] = format_datetime(now)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content.text, cte="quoted-printable")
    mail.add_alternative(content.html, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = message.locale  # after the content, which replaces such headers
    first = subject_header(content.subject) + _unsubscribe_headers(unsubscribe_url)
    content_bytes = first + mail.as_bytes()
    return ComposedMail(sender=sender.address, recipient=recipient, content=content_bytes)


def _unsubscribe_headers(url: str | None) -> bytes:
    """The headers of RFC 8058; the library would fold a long address into encoded words."""
    if url is None:
        return b""
    if not url.isascii():
        raise UnsafeHeader(repr(url))
    return (
        f"List-Unsubscribe: <{safe_header(url)}>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    ).encode()


def _paragraphs_html(body: str) -> Markup:
    return Markup("\n").join(
        Markup('<p style="margin:0 0 16px">{}</p>').format(Markup(part))  # noqa: S704 - escaped
        for part in _split(body)
    )


def _paragraphs_text(body: str) -> str:
    return "\n\n".join(
        textwrap.fill(part, TEXT_WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in _split(body)
    )


def _split(body: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", body.strip()) if part.strip()]


def _strong_html(name: str) -> Markup:
    return Markup("<strong>{}</strong>").format(escape(name))


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"


def _environment(locale: Locale, *, html: bool) -> Environment:
    wording = WORDINGS[locale]
    files = [*(TEMPLATE_FOLDER / locale).iterdir(), *TEMPLATE_FOLDER.glob("layout.*")]
    environment = Environment(
        loader=DictLoader({path.name: path.read_text() for path in files}),
        autoescape=html,  # noqa: S701 - plain text has nothing to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    strong = _strong_html if html else str
    greet = _greeting_html if html else _greeting_text
    environment.filters["paragraphs"] = _paragraphs_html if html else _paragraphs_text
    environment.filters["quoted"] = partial(quoted, marks=wording.marks)
    environment.filters["strong"] = strong
    environment.filters["greeting"] = partial(greet, wording=wording)
    environment.filters["linked"] = linked_html if html else linked_text
    environment.filters["address"] = address_html if html else str
    environment.filters["note"] = note_html if html else str
    return environment


def _greeting_text(name: str, *, wording: Wording) -> str:
    return f"{wording.hello} {name}" if name else wording.hello_unnamed


def _greeting_html(name: str, *, wording: Wording) -> Markup:
    if not name:
        return escape(wording.hello_unnamed)
    return Markup("{} {}").format(wording.hello, _strong_html(name))


_TEXT = {locale: _environment(locale, html=False) for locale in Locale}
_HTML = {locale: _environment(locale, html=True) for locale in Locale}
