"""The words of a digest: what it lists, in the language of its reader."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.notification.domain.digests import Digest
from services.notification.domain.kind_groups import KIND_TITLES
from services.notification.domain.mails import MailSender, render_entry
from services.notification.domain.messages import Message, MessageKind
from services.notification.domain.wording import format_moment


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One thing that happened: when, and what the subject of its mail would be."""

    at: str
    title: str


@dataclass(frozen=True, slots=True)
class DigestSwitch:
    """A kind of mail that is listed, and the page that switches it off."""

    title: str
    page: str


def digest_words(
    digest: Message,
    told: Digest,
    *,
    sender: MailSender,
    pages: Mapping[MessageKind, str | None],
) -> Mapping[str, object]:
    """Return the words of the template besides those of the message."""
    locale, time_zone = digest.locale, digest.time_zone
    lines = [
        DigestLine(
            at=format_moment(each.created_at, locale, time_zone),
            title=render_entry(
                replace(each, locale=locale, time_zone=time_zone), sender=sender
            ).title,
        )
        for each in told.listed
    ]
    switches = [
        DigestSwitch(title=KIND_TITLES[locale][kind], page=page)
        for kind in told.kinds
        if sender.pages and (page := pages[kind]) is not None
    ]
    return {
        "listed": lines,
        "more": told.more,
        "count": len(lines) + told.more,
        "switches": switches,
    }
