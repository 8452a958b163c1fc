"""What does a mail say, and how is it written so that nobody can add to it?"""

import re
import textwrap
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from services.notification.domain import Link, Message
from services.notification.names import deliverable, in_words, moment_in_words, shown

TEMPLATES = Path(__file__).parent / "templates"
_LONGEST_HEADER = 400
_NAMELESS = {"account": "your team", "name": "there", "project": "a project", "role": "member"}


class UnsafeHeader(Exception):  # noqa: N818 - it names what was found
    """A header's value could become more than one header, or be read as another one."""


class Undeliverable(Exception):  # noqa: N818 - as above
    """The recipient is no single plain address."""


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who the mails come from, and which product they speak of."""

    address: str
    name: str
    product: str
    public_url: str

    @property
    def host(self) -> str:
        """The host of the public address: the right side of every Message-ID."""
        return urlsplit(self.public_url).hostname or "localhost"


@dataclass(frozen=True, kw_only=True)
class Content:
    """A message in words: the subject, and the same text twice."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What goes to the mail server."""

    sender: str
    recipient: str
    content: bytes


def render(message: Message, link: Link | None, *, sender: Sender, now: datetime) -> Content:
    """Put a message into words. Every word of the fact is shown as `names` says."""
    words: dict[str, object] = {
        key: shown(key, value) or _NAMELESS.get(key, "") for key, value in message.words.items()
    }
    words |= {
        "product": sender.product,
        "public_url": sender.public_url,
        "link": link,
        "valid_for": message.expires_at and in_words(message.expires_at - now),
        "valid_until": message.expires_at and moment_in_words(message.expires_at),
    }
    name = f"{message.kind}.j2"
    text = _TEXT.get_template(name)
    subject = "".join(text.blocks["subject"](text.new_context({**words, "layout": "layout.txt"})))
    return Content(
        subject=" ".join(subject.split()),
        text=_tidy(text.render(words, layout="layout.txt")),
        html=_HTML.get_template(name).render(words, layout="layout.html"),
    )


def compose(message: Message, link: Link | None, *, sender: Sender, now: datetime) -> Mail:
    """The mail as bytes (RFC 5322), with the message's own Message-ID whenever it is composed.

    Raises:
        Undeliverable: the recipient is no single plain address.
        UnsafeHeader: a header would hold what it must not (never, while names are clean).
    """
    recipient = deliverable(message.recipient)
    if recipient is None:
        raise Undeliverable(message.id)
    content = render(message, link, sender=sender, now=now)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=header(sender.name), addr_spec=header(sender.address))
    mail["To"] = header(recipient)
    mail["Subject"] = header(content.subject)
    mail["Message-ID"] = header(f"<{message.id}@{sender.host}>")
    mail["Date"] = format_datetime(now)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content.text, cte="quoted-printable")
    mail.add_alternative(content.html, subtype="html", cte="quoted-printable")
    return Mail(sender=sender.address, recipient=recipient, content=mail.as_bytes())


def header(value: str) -> str:
    """The value, if it can only ever be one header's value.

    The standard library decodes encoded words in a value and lets a line break inside one become a
    header of its own (seen with CPython 3.11.7), so both are refused here.

    Raises:
        UnsafeHeader: it holds a control, separator or direction character, or `=?`.
    """
    unsafe = {"Cc", "Zl", "Zp", "Cs", "Cf"}
    if (
        len(value) > _LONGEST_HEADER
        or "=?" in value
        or any(unicodedata.category(c) in unsafe and c not in "\u200c\u200d" for c in value)
    ):
        raise UnsafeHeader(repr(value))
    return value


def _paragraphs_html(body: str) -> Markup:
    return Markup("\n").join(
        Markup('<p style="margin:0 0 16px">{}</p>').format(Markup(part))  # noqa: S704 - escaped
        for part in _split(body)
    )


def _paragraphs_text(body: str) -> str:
    return "\n\n".join(
        textwrap.fill(part, 76, break_long_words=False, break_on_hyphens=False)
        for part in _split(body)
    )


def _split(body: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", body.strip()) if part.strip()]


def _strong_html(name: str) -> Markup:
    return Markup("<strong>{}</strong>").format(escape(name))


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"


def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,  # noqa: S701 - plain text has nothing to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["paragraphs"] = _paragraphs_html if html else _paragraphs_text
    environment.filters["strong"] = _strong_html if html else str
    return environment


_TEXT = _environment(html=False)
_HTML = _environment(html=True)
