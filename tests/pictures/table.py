"""The pictures as a table: each page has one, and some are shown in further states."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from services.console.routes.outcomes import PageRoute


class Seen(StrEnum):
    """By whom a page is seen."""

    STRANGER = "stranger"
    PERSON = "person"
    """A user without a team."""
    MEMBER = "member"
    OWNER = "owner"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture: the page of a row, as one of its visitors sees it.

    `query` and `ids` name things of the demonstration by their names. `fill` and `press` lead from
    the page to the answer that is shown: selectors, with what is typed there.
    """

    name: str
    page: str
    by: Seen = Seen.OWNER
    query: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    link: LinkKind | None = None
    fill: Mapping[str, str] = field(default_factory=dict)
    press: str = ""
    status: int = 200

    def address(self, known: Mapping[str, str]) -> str:
        """Where it is; `known` are the ids of the demonstration by their names, as in `IDS`.

        Raises:
            KeyError: there is nothing of this name.
        """
        named = {name: known[text] for name, text in self.ids.items()}
        address = f"{self.page}?{self.query}" if self.query else self.page
        return PLACEHOLDER.sub(lambda found: {**known, **named}[found[1]], address)


PLACEHOLDER = re.compile(r"\{(\w+)\}")
IDS = frozenset(
    {
        *("account_id", "further_id", "personal_id", "unknown_id"),
        *("user_id", "owner_id", "suspended_id", "other_id", "invitation_id"),
        *("role_id", "built_in_role_id", "project_id", "production_id"),
        *("token_id", "guardrail_id", "webhook_id", "stream_id", "event_id", "search_id"),
        *("connection_id", "catalog_id"),
    }
)
"""What addresses name: those of `PAGES`, and other things of the same kinds."""
NOT_PAGES: Mapping[str, str] = {
    places.CALLBACK: "an issuer sends the browser here, and the answer leads on",
    places.ACCOUNT: "it leads to the first section",
}
"""Rows without a page of their own, with the reason. Neither is a file one."""
OF_USERS = (places.HOME, places.SECURITY, places.NOTIFICATIONS, places.SIGN_OUT)
"""Where the addresses begin that need a session."""
MEMBER = f"{places.ACCOUNT}/members/{{user_id}}"
ROLE = f"{places.ACCOUNT}/roles/{{role_id}}"
IN_PROJECT = f"{places.ACCOUNT}/projects/{{project_id}}/members/{{user_id}}"
ACCESS = f"{places.ACCOUNT}/access"
SUBMIT = "main form[method=post] button"


def pressed(name: str) -> str:
    """The button of this name."""
    return f"main button[name=press][value={name}]"


USUAL: Mapping[str, Mapping[str, object]] = {
    f"{places.ACCOUNT}/leave": {"by": Seen.MEMBER},
    f"{places.ACCOUNT}/convert": {"by": Seen.PERSON, "ids": {"account_id": "personal_id"}},
    f"{MEMBER}/resume": {"ids": {"user_id": "suspended_id"}},
    f"{MEMBER}/role": {"query": "role=operator"},
    places.CONFIRM_EMAIL: {"by": Seen.PERSON},
    places.HOME: {"by": Seen.OWNER},
    places.SECOND_FACTOR: {"status": 409},
}
"""What is different for the usual picture of some pages."""
FURTHER: Sequence[Picture] = (
    Picture(name="link-missing", page=places.VERIFY, by=Seen.STRANGER),
    Picture(name="link-over", page=places.VERIFY, query="token=x", by=Seen.STRANGER, status=410),
    Picture(
        name="sign-in-refused",
        page=places.SIGN_IN,
        by=Seen.STRANGER,
        fill={"[name=email]": "ada.moreau@northwind.example", "[name=password]": "wrong-password"},
        press=SUBMIT,
        status=403,
    ),
    Picture(name="security-app", page=places.SECURITY, by=Seen.PERSON, press=pressed("begin")),
    Picture(name="team-of-one", page=f"{places.ACCOUNT}/members", ids={"account_id": "further_id"}),
    Picture(name="members-found", page=f"{places.ACCOUNT}/members", query="q=no-such-member"),
    Picture(name="members-invited", page=f"{places.ACCOUNT}/members", query="status=invited"),
    Picture(name="members-of-a-developer", page=f"{places.ACCOUNT}/members", by=Seen.MEMBER),
    Picture(name="member-suspended", page=MEMBER, ids={"user_id": "suspended_id"}),
    Picture(name="member-owner", page=MEMBER, ids={"user_id": "owner_id"}),
    Picture(
        name="invite-refused",
        page=f"{places.ACCOUNT}/invite",
        fill={
            "[name=emails]": "no-address\nemeka.obi@northwind.example",
            "input[type=radio][value=developer]": "",
        },
        press="main form[method=post] .buttons button",
        status=409,
    ),
    Picture(
        name="role-preview",
        page=f"{ROLE}/edit",
        fill={"select[name='grant.instance.delete']": "all"},
        press=pressed("preview"),
    ),
    Picture(name="role-built-in", page=ROLE, ids={"role_id": "built_in_role_id"}),
    Picture(
        name="override-preview",
        page=IN_PROJECT,
        fill={"select[name='grant.instance.delete']": "all"},
        press=pressed("preview"),
    ),
    Picture(name="override-none", page=IN_PROJECT, ids={"user_id": "other_id"}),
    Picture(
        name="access-allowed",
        page=ACCESS,
        query="member={user_id}&project={project_id}&permission=instance:manage",
    ),
    Picture(
        name="access-denied",
        page=ACCESS,
        query="member={user_id}&project={production_id}&permission=instance:delete",
    ),
    Picture(
        name="token-made",
        page=places.TOKEN_NEW,
        fill={"[name=name]": "Nightly report"},
        press=SUBMIT,
    ),
    Picture(
        name="webhook-secret",
        page=places.WEBHOOK_NEW,
        fill={"[name=url]": "https://hooks.northwind.example/team"},
        press=SUBMIT,
    ),
    Picture(name="catalog-questions", page=places.CATALOG, query="catalog={catalog_id}"),
    Picture(name="guardrail-only-roles", page=places.GUARDRAIL_NEW, query="kind=only_roles"),
    Picture(name="guardrail-never", page=places.GUARDRAIL_NEW, query="kind=never"),
    Picture(name="log-filtered", page=places.LOG, query="action=member.&outcome=succeeded"),
    Picture(name="log-nothing", page=places.LOG, query="text=no-such-record"),
    Picture(name="usage-by-member", page=places.USAGE, query="by=user"),
    Picture(name="settings-of-a-developer", page=places.SETTINGS, by=Seen.MEMBER),
    Picture(name="not-found", page=MEMBER, ids={"user_id": "unknown_id"}, status=404),
    Picture(name="no-access", page=f"{places.ACCOUNT}/members", by=Seen.PERSON, status=404),
)
"""Further states of pages, each beside its usual picture."""


def usual_pictures(rows: Sequence[PageRoute]) -> Iterator[Picture]:
    """One picture for each page."""
    for row in rows:
        if row.path in NOT_PAGES or row.downloads:
            continue
        by = Seen.OWNER if row.path.startswith(OF_USERS) else Seen.STRANGER
        given: dict[str, object] = {"by": by, "link": row.link, **USUAL.get(row.path, {})}
        yield Picture(name=_name(row.path), page=row.path, **given)  # type: ignore[arg-type]


def pictures(rows: Sequence[PageRoute]) -> Sequence[Picture]:
    """All of them, by their visitors."""
    every = [*usual_pictures(rows), *FURTHER]
    return sorted(every, key=lambda one: list(Seen).index(one.by))


def _name(path: str) -> str:
    """A name for files, from an address."""
    short = path.replace(places.ACCOUNT, "team", 1).strip("/").replace("/", "-")
    return PLACEHOLDER.sub(lambda found: found[1].removesuffix("_id"), short)
