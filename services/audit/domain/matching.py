"""Whether the filters of a search take one record, which is at hand and not looked up."""

from collections.abc import Mapping

from services.audit.domain.records import Filters, KnownUser, Record, action_filter
from services.audit.domain.search_terms import words_of


def takes(filters: Filters, record: Record, known: Mapping[str, KnownUser]) -> bool:
    """Return whether a search with these filters finds the record.

    `known` has the users who act in the record, by their ids, as far as they are known.
    """
    actor = record.actor
    exact = (
        (filters.resource_type, (record.resource.type,)),
        (filters.resource_id, (record.resource.id,)),
        (filters.outcome, (record.outcome,)),
        (filters.project, (record.project_id,)),
        (filters.request_id, (record.request.request_id,)),
        (filters.on_behalf_of, (actor.on_behalf_of,)),
        (filters.through, _means(record)),
    )
    return (
        all(wanted is None or wanted in values for wanted, values in exact)
        and (filters.since is None or record.occurred_at >= filters.since)
        and (filters.until is None or record.occurred_at < filters.until)
        and (filters.action is None or action_filter(filters.action).matches(record.action))
        and (filters.user is None or _acts(filters.user.strip(), record, known))
        and (filters.text is None or _is_named(filters.text, record, known))
    )


def users_in(record: Record) -> tuple[str, ...]:
    """The ids of who acts in a record: the actor, and the user for whom a service acted."""
    ids = (record.actor.id, record.actor.on_behalf_of)
    return tuple(each for each in ids if each is not None)


def _means(record: Record) -> tuple[str | None, ...]:
    actor = record.actor
    client = actor.id if actor.type == "service_client" else None
    return actor.token_id, actor.session_id, client


def _acts(wanted: str, record: Record, known: Mapping[str, KnownUser]) -> bool:
    if "@" not in wanted:
        return wanted in users_in(record)
    found = (known[each].email for each in users_in(record) if each in known)
    return wanted.casefold() in {email.casefold() for email in found}


def _is_named(text: str, record: Record, known: Mapping[str, KnownUser]) -> bool:
    words = set(words_of(text))
    carried = words_of(f"{record.resource.name or ''} {record.actor.name or ''}")
    newest = (words_of(known[each].name) for each in users_in(record) if each in known)
    return any(words <= set(names) for names in (carried, *newest))
