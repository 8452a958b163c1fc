"""The policy of an account at a past time: team has it in its journal, authz has no database."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, TypeVar

from rolecall import AccountState
from services.authz.domain.policy_state import PolicyState
from shared.clock import Clock
from shared.contracts.calls.history import (
    PAST_BEARERS,
    PAST_POLICY,
    NamedObject,
    PastBearersRequest,
    PastPolicy,
    PastPolicyRequest,
)
from shared.contracts.policy_objects import PolicyObjectKind
from shared.contracts.topology import Service
from shared.http.client import InternalClient
from shared.http.lanes import Overloaded
from shared.ids import PREFIXES, is_id
from shared.problems import Unavailable
from shared.timeouts import Timeouts

QUESTIONS_AT_ONCE = 8
"""The questions that one process asks team at the same time; they take no place of a check."""
KEPT_ANSWERS = 256
KEPT_SECONDS = 60.0
SETTLED = timedelta(seconds=10)
"""A row may be committed this long after its time. Later answers about a time are all the same."""
LONGEST_EXTERNAL_ID = 200
"""A longer text was never a member's: team takes none."""
LOCATIONS = 3
"""How often a question is asked again because the resource was in another project."""


@dataclass(frozen=True, slots=True)
class PastAccount:
    """What a decision about one member and one resource rests on, and its revision.

    `account` has no other members, projects or resources; `None`: it did not exist.
    """

    account: AccountState | None
    revision: str | None
    project_name: Callable[[str], str] = str
    """What a project was called then."""


NO_SUCH_ACCOUNT = PastAccount(account=None, revision=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastQuestion:
    """The account, the member and the resource of a decision, and the time."""

    account_id: str
    user_id: str
    resource_type: str
    resource_id: str | None
    project_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastName:
    """The account, an external id that may name a member of it, and the time."""

    account_id: str
    external_id: str
    at: datetime


QuestionT = TypeVar("QuestionT", PastQuestion, PastName)
AnswerT = TypeVar("AnswerT", PastAccount, tuple[str, ...])


class PastPolicies:
    """Asks team about past times, a few questions at once, and remembers answers for a minute."""

    def __init__(self, internal: InternalClient, *, clock: Clock, timeouts: Timeouts) -> None:
        self._internal = internal
        self._clock = clock
        self._timeouts = timeouts
        self._running = 0
        self._accounts = _Answers[PastQuestion, PastAccount](clock)
        self._names = _Answers[PastName, tuple[str, ...]](clock)

    async def account(self, question: PastQuestion) -> PastAccount:
        """The account at the time of the question.

        Raises:
            HistoryUnavailable: team does not keep what the answer needs, as a `RemoteRefusal`.
            Overloaded: too many questions are being asked.
            Unavailable: team does not answer.
        """
        if not is_id(question.account_id, PREFIXES["account_id"]):
            return NO_SUCH_ACCOUNT
        return await self._answer(question, self._accounts, self._ask)

    async def bearers(self, name: PastName) -> tuple[str, ...]:
        """The ids of the members whom an external id named then: more than one is ambiguous.

        Raises:
            HistoryUnavailable, Overloaded, Unavailable: as `account`.
        """
        known = is_id(name.account_id, PREFIXES["account_id"])
        if not known or len(name.external_id) > LONGEST_EXTERNAL_ID:
            return ()
        return await self._answer(name, self._names, self._ask_for_bearers)

    async def _answer(
        self,
        question: QuestionT,
        answers: "_Answers[QuestionT, AnswerT]",
        ask: Callable[[QuestionT], Awaitable[AnswerT]],
    ) -> AnswerT:
        kept = answers.find(question)
        if kept is not None:
            return kept
        if self._running >= QUESTIONS_AT_ONCE:
            raise Overloaded
        self._running += 1
        try:
            found = await ask(question)
        finally:
            self._running -= 1
        if question.at < self._clock.now() - SETTLED:
            answers.keep(question, found)
        return found

    async def _ask_for_bearers(self, name: PastName) -> tuple[str, ...]:
        request = PastBearersRequest(
            account_id=name.account_id, at=name.at, external_id=name.external_id
        )
        found = await self._internal.call(
            PAST_BEARERS, Service.TEAM, request, timeout=self._timeouts.history
        )
        return found.user_ids

    async def _ask(self, question: PastQuestion) -> PastAccount:
        """Ask about all projects that may count; the registered one is only known by asking."""
        projects = _named_projects(question)
        for _ in range(LOCATIONS):
            past = await self._internal.call(
                PAST_POLICY,
                Service.TEAM,
                PastPolicyRequest(
                    account_id=question.account_id,
                    at=question.at,
                    objects=_objects(question, projects),
                ),
                timeout=self._timeouts.history,
            )
            registered = _registered_project(past)
            if registered is None or registered in projects:
                return _built(question.account_id, past)
            projects.append(registered)
        raise Unavailable


class _Answers(Generic[QuestionT, AnswerT]):
    """The latest answers to questions of one kind, each for a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[QuestionT, tuple[float, AnswerT]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, question: QuestionT) -> AnswerT | None:
        until, found = self._kept.get(question, (0.0, None))
        return found if self._clock.boottime() < until else None

    def keep(self, question: QuestionT, found: AnswerT) -> None:
        self._kept[question] = (self._clock.boottime() + KEPT_SECONDS, found)
        self._kept.move_to_end(question)
        if len(self._kept) > KEPT_ANSWERS:
            self._kept.popitem(last=False)


def _named_projects(question: PastQuestion) -> list[str]:
    """The projects that the question names. A project may itself be the resource."""
    named = dict.fromkeys((question.project_id, question.resource_id))
    return [each for each in named if each is not None and is_id(each, PREFIXES["project_id"])]


def _objects(question: PastQuestion, projects: list[str]) -> tuple[NamedObject, ...]:
    names = [
        (PolicyObjectKind.ACCOUNT, question.account_id),
        (PolicyObjectKind.MEMBER, question.user_id),
        (PolicyObjectKind.RESOURCE, f"{question.resource_type}/{question.resource_id}"),
    ]
    for project_id in projects:
        names.append((PolicyObjectKind.PROJECT, project_id))
        names.append((PolicyObjectKind.OVERRIDE, f"{project_id}/{question.user_id}"))
    return tuple(NamedObject(kind=kind, id=name) for kind, name in names)


def _registered_project(past: PastPolicy) -> str | None:
    for policy_object in past.items:
        if policy_object.kind is PolicyObjectKind.RESOURCE and policy_object.state is not None:
            project_id: str | None = policy_object.state.get("project_id")
            return project_id
    return None


def _built(account_id: str, past: PastPolicy) -> PastAccount:
    """Build the account as a replica does.

    Raises:
        Unavailable: the account's catalog is missing in the answer.
    """
    state = PolicyState()
    state.put(past.items)
    if state.incomplete(account_id):
        raise Unavailable
    names = partial(state.project_name, account_id)
    return PastAccount(state.account(account_id), past.revision, names)
