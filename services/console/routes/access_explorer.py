"""The page that says whether a member may do something, why, and who else may do it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.explanations import AccessExplanation, read_explanation, title_of
from services.console.domain.permission_tables import PermissionTable
from services.console.pages.reasons import why
from services.console.pages.rendering import Form
from services.console.pages.sentences import Titles
from services.console.pages.step_texts import step_text, step_titles
from services.console.routes.account_catalogs import every_project, member_names, read_catalog
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Outcome, PageRoute
from services.console.routes.person_frame import together
from services.console.routes.visits import Visit

SECTION = "access"
SHOWN_MEMBERS = "200"
SHOWN_HOLDERS = "25"
FEW = 25
"""The most members that a menu offers without a field to find one."""
SEE_MEMBERS = "member:view"


@dataclass(frozen=True, kw_only=True)
class AccessQuestion:
    """What the visitor asks: whether a member may do something, where, and to what."""

    member: str
    project: str
    permission: str
    resource: str
    owner: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "AccessQuestion":
        """The question of an address."""
        return cls(**{name: query.get(name, "").strip() for name in cls.__dataclass_fields__})

    def evaluation(self, account_id: str) -> dict[str, Any]:
        """The check, as the API takes it."""
        kind, _, action = self.permission.partition(":")
        named = {
            "account_id": account_id,
            "project_id": self.project or None,
            "owner_id": self.owner or None,
        }
        return {
            "subject": {"type": "user", "id": self.member},
            "action": {"name": action},
            "resource": {
                "type": kind,
                "id": self.resource or "-",
                "properties": {name: text for name, text in named.items() if text},
            },
        }

    def who_can(self, account_id: str) -> dict[str, Any]:
        """The same question about every member."""
        named = {
            "project_id": self.project,
            "resource_id": self.resource,
            "owner_id": self.owner,
        }
        known = {name: text for name, text in named.items() if text}
        return {"account_id": account_id, "permission": self.permission, **known}


@dataclass(frozen=True, kw_only=True)
class AccessAnswer:
    """What the API answers: about the member, and about every member."""

    explanation: AccessExplanation | None
    holders: Mapping[str, Any] | None


WHY = "why"
"""In the address of a page about a member: the permission about which it leads to the question."""


def question_about(visit: Visit, *, member: str, permission: str, project: str) -> str:
    """The address of a question."""
    asked = {"member": member, "project": project, "permission": permission}
    return places.changed_address(places.account_path(visit.account_id, "access"), asked)


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the question, and its answer once it is complete."""
    asked = AccessQuestion.of(visit.query)
    frame: AccountFrame
    frame, table, projects = await together(
        open_account(visit), read_catalog(visit), every_project(visit)
    )
    sees_members = SEE_MEMBERS in frame.permissions
    members = await _members(visit, frame, asked, sees_members=sees_members)
    answer, reason, language = None, "", frame.user["locale"]
    step_words: Titles = {}
    names: Mapping[str, str] = {}
    if asked.permission in table.by_permission:
        answer = await _answer(visit, table, asked, sees_members=sees_members)
        if answer.explanation is not None:
            step_words = step_titles(table, answer.explanation.role_id, language)
        names = await _names(visit, answer, members, sees_members=sees_members)
        reason = why(
            answer.explanation,
            language=language,
            member=names.get(asked.member, "…"),
            permission=title_of(table, asked.permission),
            project=next((one["name"] for one in projects if one["id"] == asked.project), "…"),
        )
    return frame.shown(
        "account/access",
        section=SECTION,
        form=form,
        table=table,
        projects=projects,
        project_names={one["id"]: one["name"] for one in projects},
        members=members,
        asked=asked,
        answer=answer,
        holders=_by_name(answer, names),
        names=names,
        reason=reason,
        say_step=partial(step_text, language, titles=step_words),
        titles={name: title_of(table, name) for name in table.by_permission},
        many_members=sees_members and (len(members) > FEW or "q" in visit.query),
        first="cursor" not in visit.query,
        sees_members=sees_members,
        q=visit.query.get("q", ""),
    )


async def _members(
    visit: Visit, frame: AccountFrame, asked: AccessQuestion, *, sees_members: bool
) -> Sequence[Mapping[str, Any]]:
    """The members to choose from: all, those found, or the visitor alone."""
    user = frame.user
    if not sees_members:
        return [{"user_id": user["id"], "name": user["name"], "email": user["email"]}]
    query = {"limit": SHOWN_MEMBERS, "q": visit.query.get("q", "")}
    listed = await visit.call("GET", f"/v1/accounts/{visit.account_id}/members", query=query)
    found = [one for one in listed["items"] if one["user_id"] is not None]
    if asked.member and asked.member not in {one["user_id"] for one in found}:
        names = await member_names(visit, [asked.member])
        found += [{"user_id": one, "name": name, "email": ""} for one, name in names.items()]
    return found


async def _answer(
    visit: Visit, table: PermissionTable, asked: AccessQuestion, *, sees_members: bool
) -> AccessAnswer:
    account_id = visit.account_id
    explanation = None
    if asked.member:
        found = await visit.call("POST", "/v1/authz/explain", asked.evaluation(account_id))
        explanation = read_explanation(found, table)
    holders = None
    if sees_members:
        try:
            query = {"limit": SHOWN_HOLDERS}
            if cursor := visit.query.get("cursor"):
                query["cursor"] = cursor
            holders = await visit.call(
                "POST", "/v1/authz/who-can", asked.who_can(account_id), query=query
            )
        except ApiRefusal as refusal:
            if refusal.status != 422:
                raise
    return AccessAnswer(explanation=explanation, holders=holders)


def _by_name(answer: AccessAnswer | None, names: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """The members of a page of holders, in the order of their names."""
    items = answer.holders["items"] if answer is not None and answer.holders else ()
    return sorted(items, key=lambda one: (names.get(one["user_id"], "").casefold(), one["user_id"]))


async def _names(
    visit: Visit, answer: AccessAnswer, members: Sequence[Mapping[str, Any]], *, sees_members: bool
) -> Mapping[str, str]:
    """What the members of the answer are called."""
    known = {one["user_id"]: one["name"] or one["email"] for one in members}
    ids = {one["user_id"] for one in answer.holders["items"]} if answer.holders else set()
    if answer.explanation is not None:
        ids |= {one.user_id for one in answer.explanation.grantors}
    if not sees_members:
        return known
    return known | dict(await member_names(visit, ids - known.keys()))


PAGES = (PageRoute(path=f"{places.ACCOUNT}/access", show=show),)
