"""Team's use cases over rows in memory: no server, no database and no waiting."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rolecall import AccountKind, AccountStatus, CompiledCatalog
from services.team.domain.accounts import Account
from services.team.domain.catalogs import CatalogVersion
from services.team.domain.invitations import InvitationStatus
from services.team.domain.members import Membership, PersonTraits
from services.team.domain.projects import Project
from services.team.domain.resources import RegisteredResource
from services.team.settings import Settings
from services.team.store import Store
from services.team.use_cases.context import AccountRequest, Ctx
from shared.activity import RecentActivity
from shared.contracts.calls.identity import (
    NAMED_USERS,
    USER,
    InternalUser,
    NamedUser,
    NamedUsers,
    NamedUsersRequest,
)
from shared.contracts.facts import Actor, Caller, RequestInfo, shard_of
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.live_callers import LiveCallers
from shared.following.sign_in_state import SignInState
from shared.ids import AccountId, MembershipId, ProjectId, UserId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.journal.repeats import finds_change_made
from shared.links import Links
from shared.mongo import Lost
from shared.problems import Unavailable
from shared.token_uses import TokenUses
from tests.clocks import SetClock
from tests.patience import PATIENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Sequence

    from services.team.domain.invitations import Invitation
    from services.team.domain.overrides import ProjectOverride
    from services.team.domain.resources import ResourceFilter, ResourceKey
    from shared.contracts.facts import Fact

T = TypeVar("T")

START = datetime(2100, 3, 1, 12, tzinfo=UTC)
IN_TURN: Any = object()
_LOOP = asyncio.new_event_loop()
_TURNS = 10_000
"""More turns of the loop than any work takes that only lets others go first."""
ACCOUNT = AccountId("acc_" + "0a" * 16)
_REVS = count(1)
PROJECT = ProjectId("prj_" + "0b" * 16)


def user_id(name: str) -> UserId:
    """The same id for the same name."""
    return UserId("usr_" + name.encode().hex().ljust(32, "0")[:32])


class HeldLease:
    """A lease from identity that always holds."""

    def holds(self) -> bool:
        return True


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits; it and what it gathers may let others go first."""
    task = _LOOP.create_task(work)
    for _ in range(_TURNS):
        _LOOP.call_soon(_LOOP.stop)
        _LOOP.run_forever()
        if task.done():
            return task.result()
    task.cancel()
    _LOOP.run_until_complete(asyncio.wait([task]))
    raise AssertionError("it waited for something")


class MemoryStore(Store):
    """The rows of one account, and of those that its users open beside it.

    What a test needs beside them fails, because there is no database.
    """

    def __init__(self, account: Account, catalog: CompiledCatalog) -> None:
        self.rows: dict[AccountId, Account] = {account.account_id: account}
        self.compiled = {catalog.id: catalog}
        self.memberships: dict[str, Membership] = {}
        self.elsewhere: list[Membership] = []
        """Memberships in the other accounts."""
        self.touched: list[str] = []
        """Whose accounts were counted."""
        self.homes: dict[str, AccountId] = {}
        """By user, what replaced the account of the sign-up."""
        self.overridden: dict[tuple[str, str], ProjectOverride] = {}
        self.former: set[UserId] = set()
        self.invited: dict[str, Invitation] = {}
        self.known_projects: dict[str, Project] = {}
        self.registered: dict[ResourceKey, RegisteredResource] = {}
        self.reads: Counter[str] = Counter()
        """How often long lists were read, also by attempts that were not kept."""

    @contextmanager
    def attempt(self) -> Iterator[dict[str, Any]]:
        """Nothing is saved if the attempt fails; it yields the rows as they are before."""
        kept = {name: copy(value) for name, value in vars(self).items() if name != "reads"}
        try:
            yield kept
        except BaseException:
            vars(self).update(kept)
            raise

    def require_told_as_saved(self, facts: Sequence[Fact]) -> None:
        """Check that the last policy object of each id is that of the row as it is saved."""
        rows: list[Any] = [
            *self.rows.values(),
            *self.memberships.values(),
            *self.elsewhere,
            *self.known_projects.values(),
            *self.overridden.values(),
            *self.registered.values(),
        ]
        found = [row.policy_object() for row in rows]
        saved = {(one.account_id, one.kind, one.id): one.state for one in found}
        objects = [one for fact in facts for one in fact.policy_objects]
        told = {(one.account_id, one.kind, one.id): one.state for one in objects}
        assert told == {place: saved.get(place) for place in told}

    async def access_rows(self, *given: Any, session: Any = None, **named: Any) -> Any:
        """Read one after another, as in a session: what never waits needs no event loop."""
        return await super().access_rows(*given, session=session or IN_TURN, **named)

    async def account(self, account_id: AccountId, session: Any = None) -> Account | None:
        return self.rows.get(account_id)

    async def accounts(
        self, account_ids: list[AccountId], session: Any = None
    ) -> dict[AccountId, Account]:
        return {one: self.rows[one] for one in account_ids if one in self.rows}

    async def accounts_with_offers_until(self, moment: datetime, *, limit: int) -> list[AccountId]:
        return [
            account_id
            for account_id, account in self.rows.items()
            if account.offer is not None and not account.offer.open(moment)
        ][:limit]

    async def touch_owner(self, user_id: UserId, session: Any) -> int:
        self.touched.append(user_id)
        return self.touched.count(user_id)

    async def home_of(self, user_id: UserId, session: Any) -> AccountId | None:
        return self.homes.get(user_id)

    async def set_home(self, user_id: UserId, account_id: AccountId, session: Any) -> None:
        self.homes[user_id] = account_id

    async def memberships_of(self, user_id: UserId, session: Any = None) -> list[Membership]:
        known = [*self.memberships.values(), *self.elsewhere]
        return [member for member in known if member.user_id == user_id]

    async def insert_account(self, account: Account, *, rev: int, session: Any) -> None:
        self.rows[account.account_id] = account

    async def update_account(
        self, account: Account, *, expected_rev: int, rev: int, session: Any
    ) -> None:
        assert self.rows[account.account_id].account_rev == expected_rev
        self.rows[account.account_id] = account

    async def catalog(self, catalog_id: str) -> CompiledCatalog | None:
        return self.compiled.get(catalog_id)

    async def catalog_named(self, name: str) -> CompiledCatalog | None:
        return self.compiled.get(name) or next(
            (one for one in self.compiled.values() if one.catalog.name == name), None
        )

    async def catalog_versions(self, *, name: str | None = None) -> list[CatalogVersion]:
        return [
            CatalogVersion(
                catalog_id=one.id,
                name=one.catalog.name,
                title=one.catalog.title,
                published_at=START,
            )
            for one in self.compiled.values()
            if name in {None, one.catalog.name}
        ]

    async def member(
        self, account_id: AccountId, user_id: UserId, session: Any = None
    ) -> Membership | None:
        return self.memberships.get(user_id)

    async def members_among(
        self, account_id: AccountId, users: Collection[UserId], session: Any = None
    ) -> dict[UserId, Membership]:
        found = self.memberships
        return {user_id: found[user_id] for user_id in users if user_id in found}

    async def members(self, account_id: AccountId, session: Any = None) -> list[Membership]:
        return list(self.memberships.values())

    async def count_members(self, account_id: AccountId, session: Any = None) -> int:
        return len(self.memberships)

    async def is_member(self, account_id: AccountId, email_key: str, session: Any) -> bool:
        return any(member.email_key == email_key for member in self.memberships.values())

    async def insert_member(self, member: Membership, *, rev: int, session: Any) -> None:
        if member.account_id != ACCOUNT:
            self.elsewhere.append(member)
            return
        assert member.user_id not in self.memberships
        self.memberships[member.user_id] = member

    async def replace_members(self, changed: Any, *, rev: int, session: Any) -> None:
        self.memberships |= {member.user_id: member for member in changed}

    async def insert_members(self, new: Any, *, rev: int, session: Any) -> None:
        assert not {member.user_id for member in new} & set(self.memberships)
        self.memberships |= {member.user_id: member for member in new}

    async def names_for_joining(self, names: Any, *, session: Any) -> dict[UserId, str]:
        return dict(names)

    async def delete_member(self, member: Membership, session: Any) -> None:
        del self.memberships[member.user_id]

    async def keep_former(self, members: Any, session: Any) -> None:
        self.former |= {member.user_id for member in members}

    async def forget_former(self, members: Any, session: Any) -> None:
        self.former -= {member.user_id for member in members}

    async def former_member(
        self, account_id: AccountId, traits: PersonTraits, session: Any
    ) -> bool | None:
        return False if traits.user_id in self.former else None

    async def members_by_identity(
        self, account_id: AccountId, identities: Any, session: Any
    ) -> list[Membership]:
        return [one for one in self.memberships.values() if {*one.identities} & {*identities}]

    async def save_identities(self, member: Membership, identities: Any, session: Any) -> None:
        self.memberships[member.user_id] = replace(member, identities=tuple(identities))

    async def is_told(self, account_id: AccountId, rule: Any, problem: Any, session: Any) -> bool:
        return False

    async def save_refusal(
        self, account_id: AccountId, rule: Any, problem: Any, session: Any
    ) -> None:
        """No test asks for it."""

    async def forget_refusal(self, account_id: AccountId, rule: Any, session: Any) -> None:
        """There is none."""

    async def name_for_joining(self, user_id: UserId, *, otherwise: str, session: Any) -> str:
        return otherwise

    async def project(
        self, account_id: AccountId, project_id: ProjectId, session: Any = None
    ) -> Project | None:
        return self.known_projects.get(project_id)

    async def projects(self, account_id: AccountId, session: Any = None) -> list[Project]:
        return list(self.known_projects.values())

    async def insert_project(self, project: Project, *, rev: int, session: Any) -> None:
        self.known_projects[project.project_id] = project

    async def replace_project(self, project: Project, *, rev: int, session: Any) -> None:
        self.known_projects[project.project_id] = project

    async def delete_project(self, project: Project, session: Any) -> None:
        del self.known_projects[project.project_id]

    async def delete_overrides_in(
        self, account_id: AccountId, project_id: ProjectId, session: Any
    ) -> None:
        self.overridden = {
            key: override for key, override in self.overridden.items() if key[0] != project_id
        }

    async def override(
        self, account_id: AccountId, project_id: ProjectId, user_id: UserId, session: Any = None
    ) -> ProjectOverride | None:
        return self.overridden.get((project_id, user_id))

    async def count_overrides(self, account_id: AccountId, session: Any, *, limit: int) -> int:
        return min(len(self.overridden), limit)

    async def overrides_in(
        self, account_id: AccountId, project_id: ProjectId, session: Any = None
    ) -> list[ProjectOverride]:
        return [one for one in self.overridden.values() if one.project_id == project_id]

    async def overrides_of_account(
        self, account_id: AccountId, session: Any = None
    ) -> list[ProjectOverride]:
        self.reads["all overrides"] += 1
        return list(self.overridden.values())

    async def overrides_of_each(
        self, account_id: AccountId, users: Collection[UserId], session: Any = None
    ) -> dict[UserId, list[ProjectOverride]]:
        known = self.overridden.values()
        return {user_id: [one for one in known if one.user_id == user_id] for user_id in users}

    async def put_override(self, override: ProjectOverride, *, rev: int, session: Any) -> None:
        self.overridden[override.project_id, override.user_id] = override

    async def delete_override(self, override: ProjectOverride, session: Any) -> None:
        del self.overridden[override.project_id, override.user_id]

    async def delete_overrides_of(
        self, account_id: AccountId, user_id: UserId, session: Any
    ) -> None:
        self.overridden = {
            key: override for key, override in self.overridden.items() if key[1] != user_id
        }

    async def resources_among(
        self, account_id: AccountId, keys: Collection[ResourceKey], session: Any = None
    ) -> dict[ResourceKey, RegisteredResource]:
        return {key: self.registered[key] for key in keys if key in self.registered}

    async def resource_page(
        self,
        account_id: AccountId,
        wanted: ResourceFilter,
        *,
        after: ResourceKey | None = None,
        limit: int,
        session: Any = None,
    ) -> list[RegisteredResource]:
        found = [one for _, one in sorted(self.registered.items()) if _meant(one, wanted)]
        return [one for one in found if after is None or one.key > after][:limit]

    async def resource_types(
        self, account_id: AccountId, *, limit: int, session: Any = None
    ) -> list[str]:
        return sorted({resource.type for resource in self.registered.values()})[:limit]

    async def count_resources(
        self, account_id: AccountId, wanted: ResourceFilter, session: Any = None
    ) -> int:
        return sum(_meant(one, wanted) for one in self.registered.values())

    async def insert_resources(
        self, resources: Sequence[RegisteredResource], *, rev: int, session: Any
    ) -> None:
        assert not self.registered.keys() & {one.key for one in resources}
        self.registered |= {one.key: one for one in resources}

    async def replace_resources(
        self, resources: Sequence[RegisteredResource], *, rev: int, session: Any
    ) -> None:
        assert self.registered.keys() >= {one.key for one in resources}
        self.registered |= {one.key: one for one in resources}

    async def give_resources(
        self,
        account_id: AccountId,
        keys: Collection[ResourceKey],
        owner_id: UserId,
        *,
        rev: int,
        session: Any,
    ) -> None:
        given = {key: replace(self.registered[key], owner_id=owner_id) for key in keys}
        self.registered |= given

    async def delete_resource(self, resource: RegisteredResource, session: Any) -> None:
        del self.registered[resource.key]

    async def delete_members_but(
        self, account_id: AccountId, owner_id: UserId, session: Any
    ) -> None:
        self.memberships = {owner_id: self.memberships[owner_id]}

    async def delete_overrides_of_account(self, account_id: AccountId, session: Any) -> None:
        self.overridden.clear()

    async def pending(self, account_id: AccountId, session: Any) -> list[Invitation]:
        return [one for one in self.invited.values() if one.status == "pending"]

    async def revoke_pending(self, account_id: AccountId, *, now: datetime, session: Any) -> None:
        for one in await self.pending(account_id, session):
            self.invited[one.invitation_id] = replace(one, status=InvitationStatus.REVOKED)

    async def invitation_of_link(self, invitation_id: str) -> Invitation | None:
        return self.invited.get(invitation_id)

    async def invitation(
        self, account_id: AccountId, invitation_id: str, session: Any
    ) -> Invitation | None:
        return self.invited.get(invitation_id)

    async def pending_invitation(
        self, account_id: AccountId, invitation_id: str, session: Any
    ) -> Invitation | None:
        found = self.invited.get(invitation_id)
        return found if found is not None and found.status == "pending" else None

    async def pending_for(
        self, account_id: AccountId, email_key: str, session: Any
    ) -> Invitation | None:
        pending = [one for one in self.invited.values() if one.status == "pending"]
        return next((one for one in pending if one.email_key == email_key), None)

    async def pending_among(
        self, account_id: AccountId, email_keys: Collection[str], session: Any
    ) -> dict[str, Invitation]:
        pending = [one for one in self.invited.values() if one.status == "pending"]
        return {one.email_key: one for one in pending if one.email_key in email_keys}

    async def pending_with_role(
        self, account_id: AccountId, role_id: str, session: Any
    ) -> list[Invitation]:
        known = self.invited.values()
        return [one for one in known if (one.status, one.role) == ("pending", role_id)]

    async def open_invitations(
        self, account_id: AccountId, *, now: datetime, session: Any
    ) -> list[Invitation]:
        return [one for one in self.invited.values() if one.open(now)]

    async def open_of(
        self, account_id: AccountId, inviter_id: UserId, *, now: datetime, session: Any
    ) -> list[Invitation]:
        return [
            one
            for one in self.invited.values()
            if one.inviter_user_id == inviter_id and one.open(now)
        ]

    async def count_open(self, account_id: AccountId, *, now: datetime, session: Any) -> int:
        return sum(one.open(now) for one in self.invited.values())

    async def insert_invitation(
        self, invitation: Invitation, *, now: datetime, session: Any
    ) -> None:
        self.invited[invitation.invitation_id] = invitation

    async def replace_invitations(self, changed: Any, *, now: datetime, session: Any) -> None:
        self.invited |= {one.invitation_id: one for one in changed}

    async def invitation_times(self, account_id: AccountId, session: Any) -> list[datetime]:
        return []

    async def save_invitation_times(
        self, account_id: AccountId, times: Any, *, now: datetime, session: Any
    ) -> None:
        return None

    async def account_mails(self, account_id: AccountId, session: Any) -> list[Any]:
        return []

    async def add_account_mail(self, account_id: AccountId, mail: Any, session: Any) -> None:
        return None


def _meant(resource: RegisteredResource, wanted: ResourceFilter) -> bool:
    return (
        (wanted.types is None or resource.type in wanted.types)
        and wanted.project_id in (None, resource.project_id)
        and wanted.owner_id in (None, resource.owner_id)
    )


class MemoryJournal:
    """Runs each change once, and keeps its facts and how it was to be acknowledged."""

    def __init__(self, store: MemoryStore, clock: SetClock) -> None:
        self.store = store
        self.clock = clock
        self.facts: list[Fact] = []
        self.callers: list[Caller] = []
        self.effective_everywhere: list[bool] = []
        self.settled: list[int] = []
        """The shards whose changes were awaited."""
        self.session: Any = None
        self.settles = True
        """Whether earlier changes are effective everywhere."""

    async def write(
        self,
        key: str,
        work: Callable[[JournalWrite], Awaitable[T]],
        *,
        caller: Caller,
        effective_everywhere: bool,
        guard: Any = None,
        before_commit: Callable[[], None] | None = None,
    ) -> WriteResult[T]:
        self.effective_everywhere.append(effective_everywhere)
        try:
            result, write = await self._run(
                work, caller=caller, guard=guard, before_commit=before_commit
            )
        except Exception as ended:
            if effective_everywhere and finds_change_made(ended):
                self._settle(key)
            raise
        if effective_everywhere and not write.facts:
            self._settle(key)
        self.facts += write.facts
        self.callers.append(write.caller)
        revision = f"team.e1.0.{len(self.facts)}" if write.facts else None
        return WriteResult(result=result, revision=revision)

    async def attempt(
        self,
        key: str,
        change: Callable[[JournalWrite], Awaitable[T]],
        *,
        caller: Caller,
        guard: Any = None,
        before_commit: Callable[[], None] | None = None,
    ) -> T:
        result, _ = await self._run(
            change, caller=caller, guard=guard, before_commit=before_commit, keep=False
        )
        return result

    async def _run(
        self,
        work: Callable[[JournalWrite], Awaitable[T]],
        *,
        caller: Caller,
        guard: Any,
        before_commit: Callable[[], None] | None,
        keep: bool = True,
    ) -> tuple[T, JournalWrite]:
        while True:
            write = JournalWrite(
                session=self.session, now=self.clock.now(), base=len(self.facts), caller=caller
            )
            with suppress(Lost), self.store.attempt() as kept:
                if guard is not None:
                    await guard(write.session)
                result = await work(write)
                self.store.require_told_as_saved(write.facts)
                if before_commit is not None:
                    before_commit()
                if not keep:
                    vars(self.store).update(kept)
                return result, write

    async def refused(self, key: str, *facts: Fact, caller: Caller) -> None:
        self.facts += facts
        self.callers.append(caller)

    def _settle(self, key: str) -> None:
        self.settled.append(shard_of(key))
        if not self.settles:
            raise Unavailable


class MemoryIdentity:
    """What identity answers about users."""

    def __init__(self) -> None:
        self.users: dict[str, InternalUser] = {}

        self.external_ids: dict[tuple[str, str], str] = {}
        """By client and external id."""

    async def call(
        self,
        asked: object,
        service: str,
        request: NamedUsersRequest | None = None,
        *,
        path: dict[str, str] | None = None,
    ) -> InternalUser | NamedUsers:
        if asked is USER and path is not None:
            return self.users[path["user_id"]]
        assert asked is NAMED_USERS
        assert request is not None
        known = [
            (one, self.external_ids.get((request.client_id, one))) for one in request.external_ids
        ]
        known += [(one, one) for one in request.user_ids]
        return NamedUsers(
            users=tuple(
                NamedUser(named=named, **dict(self.users[user]))
                for named, user in known
                if user in self.users
            )
        )


@dataclass
class Memory:
    """One account with a project, and the context of team's use cases over it."""

    ctx: Ctx
    store: MemoryStore
    journal: MemoryJournal
    identity: MemoryIdentity
    sign_ins: SignInState
    clock: SetClock

    def set_factor(self, name: str, *, removed: bool = False) -> None:
        """Let a user have a second factor, or none any more."""
        told = PolicyObject(
            kind=PolicyObjectKind.SECOND_FACTOR,
            id=user_id(name),
            rev=next(_REVS),
            state=None if removed else {},
        )
        self.sign_ins.put([told])

    def request(self, name: str, permission: str, *, inside: bool = False) -> AccountRequest:
        """The request of a member; `inside` the project."""
        return AccountRequest(
            caller=caller_of(name),
            user_id=user_id(name),
            account_id=ACCOUNT,
            permission=permission,
            project_id=PROJECT if inside else None,
        )

    def register(self, rid: str, *, owner: str | None = None) -> RegisteredResource:
        """An instance that is registered, with this member as its owner."""
        resource = RegisteredResource(
            account_id=ACCOUNT,
            type="instance",
            rid=rid,
            owner_id=None if owner is None else user_id(owner),
            registered_at=START,
        )
        account = self.store.rows[ACCOUNT]
        self.store.rows[ACCOUNT] = replace(account, resource_count=account.resource_count + 1)
        self.store.registered[resource.key] = resource
        return resource

    def add(self, name: str, role: str) -> Membership:
        """A member."""
        member = Membership(
            account_id=ACCOUNT,
            user_id=user_id(name),
            membership_id=MembershipId(new_id("mem")),
            role=role,
            email=f"{name}@example.com",
            email_key=f"{name}@example.com",
            name=name.title(),
            joined_at=START,
        )
        self.store.memberships[member.user_id] = member
        return member

    def know(self, name: str) -> None:
        """Let identity know a verified user."""
        self.identity.users[user_id(name)] = InternalUser(
            user_id=user_id(name),
            status="active",
            email=f"{name}@example.com",
            email_verified=True,
            name=name.title(),
            account_id="acc_" + user_id(name)[4:],
        )


def caller_of(name: str) -> Caller:
    """A signed-in user."""
    return Caller(
        actor=Actor(type="user", id=user_id(name)), request=RequestInfo(request_id="req_1")
    )


def memory(catalog: CompiledCatalog, *, kind: AccountKind = AccountKind.TEAM) -> Memory:
    """An account of that catalog with an owner named `owner` and one project."""
    account = Account(
        account_id=ACCOUNT,
        kind=kind,
        status=AccountStatus.ACTIVE,
        name="Engines",
        owner_user_id=user_id("owner"),
        catalog=catalog.id,
        account_rev=1,
        created_at=START,
    )
    clock, store, identity = SetClock(START), MemoryStore(account, catalog), MemoryIdentity()
    journal = MemoryJournal(store, clock)
    settings = Settings.model_construct(
        public_url="https://rolecall.example",
        personal_catalog="standard",
        mails_per_address=100,
        first_mails_of_account=100,
        invitations_per_account=100,
        projects_per_account=100,
        overrides_per_account=100,
        resources_per_account=100,
        deletion_grace_days=30,
    )
    absent, sign_ins = cast("Any", None), SignInState()
    ctx = Ctx(
        settings=settings,
        client=absent,
        store=store,
        snapshot=absent,
        journal=cast("Any", journal),
        history=absent,
        leases=absent,
        internal=cast("Any", identity),
        callers=LiveCallers(sign_ins, cast("Any", HeldLease())),
        activity=RecentActivity(),
        token_uses=TokenUses(),
        links=Links(bytes(32), "invitation"),
        clock=clock,
        timeouts=PATIENT,
    )
    made = Memory(
        ctx=ctx,
        store=store,
        journal=journal,
        identity=identity,
        sign_ins=sign_ins,
        clock=clock,
    )
    made.add("owner", catalog.catalog.owner_role)
    store.known_projects[PROJECT] = Project(
        account_id=ACCOUNT, project_id=PROJECT, name="prod", created_at=START
    )
    return made
