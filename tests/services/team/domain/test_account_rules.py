"""Roles, project names, conversion and truncated lists: tables, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from rolecall import AccountKind, CompiledCatalog, Words, load_catalog
from services.team.domain import accounts, projects
from services.team.domain.accounts import AlreadyATeam, OwnerOnly
from services.team.domain.projects import Project, ProjectLimit, ProjectNameTaken
from services.team.domain.roles import RoleUnknown, assignable_role, role_title
from services.team.domain.truncated_ids import MAX_IDS, truncated_ids
from shared.ids import ProjectId
from shared.problems import Refusal
from tests.services.team.memory import ACCOUNT, START, memory, user_id

STANDARD = CompiledCatalog(load_catalog("standard"))
NOVITA = CompiledCatalog(load_catalog("novita"))
NO_STEP = CompiledCatalog(load_catalog("cloud-iam"))


@pytest.mark.parametrize("role", ["owner", "none", "Admin", ""])
def test_a_role_that_cannot_be_assigned_names_the_choices(role: str) -> None:
    with pytest.raises(RoleUnknown) as refused:
        assignable_role(STANDARD, role)
    assert str(refused.value) == (
        f"The role `{role}` cannot be assigned."
        " Choose one of: admin, operator, developer, billing, basic, viewer."
    )
    assert refused.value.members["assignable"] == [
        "admin",
        "operator",
        "developer",
        "billing",
        "basic",
        "viewer",
    ]


def test_a_role_that_the_catalog_lost_is_shown_by_its_id() -> None:
    assert role_title(STANDARD, "admin") == "Admin"
    assert role_title(STANDARD, "lead") == "lead"


def project(number: int, name: str) -> Project:
    return Project(
        account_id=ACCOUNT, project_id=ProjectId(f"prj_{number}"), name=name, created_at=START
    )


CLUSTERS = Words(project="cluster", projects="clusters")
"""The words of a catalog, which the refusals use."""

NAMES: list[tuple[str, type[Refusal] | None]] = [
    ("prod", ProjectNameTaken),
    ("PROD", ProjectNameTaken),
    ("\uff50rod", ProjectNameTaken),
    ("stra\u00dfe", ProjectNameTaken),
    ("production", None),
]


@pytest.mark.parametrize(("name", "refusal"), NAMES)
def test_two_projects_of_an_account_have_different_names(
    name: str, refusal: type[Refusal] | None
) -> None:
    others = [project(1, "prod"), project(2, "STRASSE")]

    def create(limit: int = 3) -> Any:
        return projects.create(
            account_id=ACCOUNT,
            project_id=ProjectId("prj_3"),
            name=name,
            others=others,
            limit=limit,
            words=CLUSTERS,
            now=START,
        )

    if refusal is not None:
        with pytest.raises(refusal, match=r"^Another cluster of this account has that name\."):
            create()
        with pytest.raises(refusal, match=r"^Another cluster of this account has that name\."):
            projects.rename(project(3, "test"), name, account_projects=others, words=CLUSTERS)
        return
    assert create()[0].name == name
    with pytest.raises(ProjectLimit, match="may have 2 clusters at most"):
        create(limit=2)


def test_a_project_may_keep_its_own_name_in_other_letters() -> None:
    prod = project(1, "prod")
    renamed, _ = projects.rename(prod, "Prod", account_projects=[prod], words=CLUSTERS)
    assert renamed.name == "Prod"


CONVERSIONS: list[tuple[AccountKind, str, CompiledCatalog, type[Refusal] | None]] = [
    (AccountKind.PERSONAL, "owner", NOVITA, None),
    (AccountKind.PERSONAL, "ana", NOVITA, OwnerOnly),
    (AccountKind.TEAM, "ana", NOVITA, OwnerOnly),
    (AccountKind.TEAM, "owner", NOVITA, AlreadyATeam),
]


@pytest.mark.rule("Rp2", "Nv1")
@pytest.mark.parametrize(("kind", "who", "catalog", "refusal"), CONVERSIONS)
def test_the_owner_of_a_personal_account_converts_it(
    kind: AccountKind, who: str, catalog: CompiledCatalog, refusal: type[Refusal] | None
) -> None:
    world = memory(STANDARD, kind=kind)
    world.add("ana", "admin")
    account, member = world.store.rows[ACCOUNT], world.store.memberships[user_id(who)]
    if refusal is not None:
        with pytest.raises(refusal):
            accounts.convert(account, member, name="Engines", catalog=catalog, roles=())
        return
    converted, owner, _ = accounts.convert(
        account, member, name="Engines", catalog=catalog, roles=()
    )
    assert (converted.account_id, converted.kind) == (ACCOUNT, AccountKind.TEAM)
    assert converted.catalog == NOVITA.id
    assert owner.role == NOVITA.catalog.owner_role


def test_a_conversion_that_changes_nothing_records_nothing() -> None:
    """Where the catalog has no conversion, the account stays personal and may be sent again."""
    world = memory(STANDARD, kind=AccountKind.PERSONAL)
    account, member = world.store.rows[ACCOUNT], world.store.memberships[user_id("owner")]
    first = accounts.convert(account, member, name="Engines", catalog=NO_STEP, roles=())
    assert first[2] is not None
    again = accounts.convert(*first[:2], name="Engines", catalog=NO_STEP, roles=())
    assert again == (*first[:2], None)


def test_a_list_with_too_many_ids_says_how_many_more_there_are() -> None:
    ids = [f"prj_{number:032x}" for number in range(MAX_IDS + 2)]
    assert truncated_ids(ids[:MAX_IDS]) == ids[:MAX_IDS]
    assert truncated_ids(ids) == [*ids[:MAX_IDS], "and 2 more"]
