"""Records of the audit log in the words of a page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.console.domain.log_records import Changed, changes, in_line, is_moment
from services.console.pages.action_words import (
    ACTIONS,
    RESOURCE_TYPES,
    SUBJECTS,
    in_words,
    plainly,
)
from services.console.pages.mail_words import MAIL_KINDS
from services.console.pages.member_words import MEMBER_WORDS
from services.console.pages.page_text import PageText
from services.console.pages.project_words import ProjectWords
from services.console.pages.words import LANGUAGES

Record = Mapping[str, Any]

ACTORS: Mapping[str, PageText] = {
    "anonymous": PageText("Not signed in", "Nicht angemeldet"),
    "operator": PageText("Operator of the platform", "Betreiber der Plattform"),
    "service": PageText("{product}", "{product}"),
    "service_client": PageText("The platform", "Die Plattform"),
    "user": PageText("Deleted person", "Gelöschte Person"),
}
"""Who acted, where a record has no name of a person; a user is shown so once they are erased."""
_OF_ACTOR = frozenset({"actor.name", "actor.email"})
OUTCOMES: Mapping[str, PageText] = {
    "succeeded": PageText("Done", "Erfolgt"),
    "denied": PageText("Denied", "Verweigert"),
    "failed": PageText("Failed", "Fehlgeschlagen"),
}
ALSO_ABOUT: Mapping[str, str] = {"member.role_changed": "role"}
"""What an action is about besides its own noun."""
YES, NO = PageText("Yes", "Ja"), PageText("No", "Nein")
OTHER, ALL_OF_IT = PageText("Other", "Weitere"), PageText("Everything", "Alles")


def record_row(
    record: Record,
    *,
    language: str,
    product: str,
    projects: ProjectWords,
    roles: Mapping[str, str],
) -> dict[str, Any]:
    """A record with the words for what happened, who did it, and what it was done to.

    `roles` are the names of the roles that the account has now.
    """
    resource = record["resource"]
    return {
        **record,
        "what": action_words(record["action"], language, projects),
        "who": _actor_words(record, language=language, product=product),
        "type_words": type_words(resource["type"], language, projects),
        "about": _named(resource, language),
        "roles": _roles_of_member(record, roles),
        "result": in_words(OUTCOMES, record["outcome"], language),
    }


def _roles_of_member(record: Record, roles: Mapping[str, str]) -> tuple[str, str] | None:
    """The role of a member before and after; `None` if the record is about something else."""
    if record["action"] != "member.role_changed":
        return None
    before, after = ((record[name] or {}).get("role", "") for name in ("before", "after"))
    return (roles.get(before, before), roles.get(after, after)) if before != after else None


def _named(resource: Mapping[str, Any], language: str) -> str:
    """The name of a resource; that of a mail is its kind."""
    name: str = resource["name"] or ""
    if resource["type"] != "message" or not name:
        return name
    return MAIL_KINDS[name].of(language) if name in MAIL_KINDS else plainly(name)


def action_words(action: str, language: str, projects: ProjectWords) -> str:
    """What happened; an action of the platform's own services has its name."""
    words = ACTIONS.get(action)
    return plainly(action) if words is None else projects.fill(words, language)


def type_words(resource_type: str, language: str, projects: ProjectWords) -> str:
    """What kind of thing a resource is."""
    known = RESOURCE_TYPES.get(resource_type)
    return plainly(resource_type) if known is None else projects.fill(known, language)


def _actor_words(record: Record, *, language: str, product: str) -> str:
    """Who acted; a user of whom the log knows no name has their id, unless it was erased."""
    actor = record["actor"]
    known: str | None = actor["name"] or actor["email"]
    if known is None and actor["type"] == "user" and _OF_ACTOR.isdisjoint(record["erased"]):
        known = actor["id"]
    if known:
        return known
    return ACTORS[actor["type"]].of(language).format(product=product)


def changed_rows(
    record: Record,
    language: str,
    roles: Mapping[str, str],
    projects: ProjectWords,
    *,
    when: Callable[[str], str],
) -> list[dict[str, Any]]:
    """Each member of what changed: its word, and its value before and after.

    `roles` are the names of the roles that the account has now, `when` says a moment in words.
    """

    def told(one: Changed, value: Any) -> Any:
        return when(value) if is_moment(one.name, value) else value

    said = {"role": roles, "locale": {str(code): name for code, name in LANGUAGES.items()}}
    return [
        {
            "name": projects.fill(MEMBER_WORDS[one.name], language)
            if one.name in MEMBER_WORDS
            else plainly(one.name),
            "before": _shown(told(one, one.before), language, said.get(one.name, {})),
            "after": _shown(told(one, one.after), language, said.get(one.name, {})),
            "differs": one.differs,
        }
        for one in changes(record["before"], record["after"])
    ]


def _shown(value: Any, language: str, names: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return (YES if value else NO).of(language)
    text = in_line(value)
    return names.get(text, text)


def action_choices(
    language: str, projects: ProjectWords
) -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    """The actions to choose from, by what they are about; `noun.` stands for all of a noun.

    An action that people look for in two places is offered in both.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for noun, subject in SUBJECTS.items():
        title = projects.fill(subject, language)
        groups[title] = [(f"{noun}.", f"{title}: {ALL_OF_IT.of(language)}")]
    for action, words in ACTIONS.items():
        subject = SUBJECTS.get(action.partition(".")[0], OTHER)
        group = groups.setdefault(projects.fill(subject, language), [])
        group.append((action, projects.fill(words, language)))
        if action in ALSO_ABOUT:
            also = groups[projects.fill(SUBJECTS[ALSO_ABOUT[action]], language)]
            also.append((action, projects.fill(words, language)))
    return list(groups.items())


def type_choices(
    language: str, entries: Sequence[Mapping[str, Any]], projects: ProjectWords
) -> Sequence[tuple[str, str]]:
    """The types of resources to choose from: Rolecall's own, and those of the catalog."""
    own = {name: projects.fill(words, language) for name, words in RESOURCE_TYPES.items()}
    known = {entry["id"]: entry["title"] for entry in entries} | own
    return sorted(known.items(), key=lambda one: one[1].casefold())
