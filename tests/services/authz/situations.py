"""Situations of one account, stated once and given both as team's rows and as journal objects."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rolecall import AccountKind, AccountState, AccountStatus, MembershipStatus
from services.authz.domain.policy_state import PolicyState
from services.team.domain.accounts import Account
from services.team.domain.authority import account_state, member_state
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from shared.contracts.policy_objects import (
    AccountObject,
    MemberObject,
    OverrideObject,
    PolicyObject,
    PolicyObjectKind,
    ProjectObject,
)
from shared.ids import AccountId, MembershipId, ProjectId, UserId
from tests.services.authz.histories import ACCOUNT, ANA, COMPILED, NOON, STANDARD, catalog

MILLISECOND = timedelta(milliseconds=1)
JUST_BEFORE_NOON = NOON - timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class StatedMember:
    """One membership."""

    user_id: str
    role: str
    membership_id: str = "mem_1"
    status: str = "active"
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StatedOverride:
    """One override; `grants` as they are stored, readable or not."""

    user_id: str
    project_id: str
    grants: Any
    membership_id: str = "mem_1"
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Situation:
    """One account under the catalog `standard`."""

    members: tuple[StatedMember, ...]
    overrides: tuple[StatedOverride, ...] = ()
    projects: tuple[str, ...] = ()
    status: str = "active"


def account_row(situation: Situation) -> Account:
    return Account(
        account_id=AccountId(ACCOUNT),
        kind=AccountKind.TEAM,
        status=AccountStatus(situation.status),
        name="Acme",
        owner_user_id=UserId(ANA),
        catalog=STANDARD.id,
        account_rev=1,
        created_at=NOON,
    )


def membership_row(member: StatedMember) -> Membership:
    return Membership(
        account_id=AccountId(ACCOUNT),
        user_id=UserId(member.user_id),
        membership_id=MembershipId(member.membership_id),
        role=member.role,
        email="b@example.com",
        email_key="b@example.com",
        name="Bo",
        joined_at=NOON,
        status=MembershipStatus(member.status),
        expires_at=member.expires_at,
    )


def override_row(override: StatedOverride) -> ProjectOverride:
    return ProjectOverride(
        account_id=AccountId(ACCOUNT),
        project_id=ProjectId(override.project_id),
        user_id=UserId(override.user_id),
        membership_id=MembershipId(override.membership_id),
        grants=override.grants,
        expires_at=override.expires_at,
        given_by=UserId(ANA),
        given_at=NOON,
    )


def project_row(project_id: str) -> Project:
    return Project(
        account_id=AccountId(ACCOUNT),
        project_id=ProjectId(project_id),
        name="prod",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def state_from_rows(situation: Situation) -> AccountState:
    """The state as team builds it, from the rows of its database."""
    overrides = [override_row(override) for override in situation.overrides]
    members = [
        member_state(COMPILED, membership_row(member), overrides) for member in situation.members
    ]
    projects = [ProjectId(project_id) for project_id in situation.projects]
    return account_state(account_row(situation), COMPILED, members, projects)


def state_from_journal(situation: Situation) -> AccountState:
    """The state as a replica of authz builds it, from the objects of the journal."""
    return replica_state(
        [
            _object(
                PolicyObjectKind.ACCOUNT,
                ACCOUNT,
                AccountObject.model_validate(
                    {
                        "kind": "team",
                        "status": situation.status,
                        "owner_user_id": ANA,
                        "catalog": STANDARD.id,
                    }
                ),
            ),
            *(
                _object(
                    PolicyObjectKind.MEMBER,
                    member.user_id,
                    MemberObject.model_validate(
                        {
                            "membership_id": member.membership_id,
                            "role": member.role,
                            "status": member.status,
                            "expires_at": member.expires_at,
                        }
                    ),
                )
                for member in situation.members
            ),
            *(
                _object(
                    PolicyObjectKind.OVERRIDE,
                    f"{override.project_id}/{override.user_id}",
                    OverrideObject(
                        project_id=override.project_id,
                        user_id=override.user_id,
                        membership_id=override.membership_id,
                        grants=override.grants,
                        expires_at=override.expires_at,
                    ),
                )
                for override in situation.overrides
            ),
            *(
                _object(PolicyObjectKind.PROJECT, project_id, ProjectObject(name="prod"))
                for project_id in situation.projects
            ),
        ]
    )


def state_from_published_rows(situation: Situation) -> AccountState:
    """The state of a replica that received what team publishes of its rows."""
    return replica_state(
        [
            account_row(situation).policy_object(),
            *(membership_row(member).policy_object() for member in situation.members),
            *(override_row(override).policy_object() for override in situation.overrides),
            *(project_row(project_id).policy_object() for project_id in situation.projects),
        ]
    )


def replica_state(policy_objects: list[PolicyObject]) -> AccountState:
    """The account's state in a replica after these objects travelled as JSON."""
    policy = PolicyState()
    policy.put(
        [
            PolicyObject.model_validate_json(sent.model_copy(update={"rev": 1}).model_dump_json())
            for sent in (catalog(STANDARD.id), *policy_objects)
        ]
    )
    state = policy.account(ACCOUNT)
    assert state is not None
    return state


def _object(
    kind: PolicyObjectKind,
    object_id: str,
    state: AccountObject | MemberObject | OverrideObject | ProjectObject,
) -> PolicyObject:
    return PolicyObject(
        kind=kind, id=object_id, account_id=ACCOUNT, state=state.model_dump(mode="json")
    )
