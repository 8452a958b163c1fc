"""Who is told of the streams of an account's audit log."""

from services.notification.domain.messages import MessageKind
from services.notification.domain.notices import Notice
from shared.contracts.audit_streams import LogStreamPaused
from shared.contracts.facts import Row


def _log_stream_paused(fact: LogStreamPaused, row: Row) -> Notice | None:
    if not fact.manager_emails:
        return None
    first, *others = dict.fromkeys(fact.manager_emails)
    return Notice(
        kind=MessageKind.LOG_STREAM_PAUSED,
        about=fact.stream_id,
        to=first,
        also=tuple(others),
        words={
            "account": fact.account_name,
            "stream": fact.name,
            "stream_id": fact.stream_id,
            "host": fact.host,
            "because": fact.because,
        },
    )


ROWS = ((LogStreamPaused, _log_stream_paused),)
