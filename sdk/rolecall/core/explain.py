"""A decision step by step, in sentences: the same words for the API, the SDK and the terminal."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from rolecall.core.condition_facts import AnyGiven, Facts
from rolecall.core.decide import check_facts, decide, located
from rolecall.core.decision import Decision, Reason
from rolecall.core.decision_steps import (
    ENDS_AT,
    TEXT_OF_DENIAL,
    TEXT_OF_STEP,
    StepId,
    StepResult,
)
from rolecall.core.effective import deciding_matrix
from rolecall.core.level_grants import Alternative, Scope, alternatives
from rolecall.core.matrix import CompiledPermission
from rolecall.core.missing import missing
from rolecall.core.problems import nearest_to
from rolecall.core.restrictions import has_api_tokens, withheld_by
from rolecall.core.state import NO_RESOURCE_ID, AccountState, AnyResource, Subject

OWN = "the user's own resources"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a decision: its name, what became of it, and a sentence that says why."""

    id: StepId
    result: StepResult
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and its steps; `decision` is the one of `decide`."""

    decision: Decision
    steps: tuple[Step, ...]


def explain(
    account: AccountState,
    subject: Subject,
    permission: str,
    resource: AnyResource,
    *,
    now: int,
    given: AnyGiven | None = None,
    project_name: Callable[[str], str] = str,
) -> Explanation:
    """Explain what `decide` decides; `now` is in epoch milliseconds.

    Sentences use the names of roles and the provider's word for a project. `project_name` is what
    they call a project, by default its id. Another user who owns the resource is not named.
    """
    decision = decide(account, subject, permission, resource, now=now, given=given)
    told = _Told(account, subject, permission, resource, decision, project_name, given)
    return Explanation(decision, tuple(_steps(told, ENDS_AT.get(decision.reason))))


def steps_of_denial(end: StepId, text: str) -> tuple[Step, ...]:
    """The steps of a denial of which only the last may be told, or is known."""
    return tuple(
        Step(step, StepResult.DOES_NOT_HOLD, text)
        if step is end
        else Step(step, StepResult.NOT_REACHED, _NOT_REACHED)
        for step in StepId
        if step not in _OF_SOME or end is step
    )


_NOT_REACHED = "This was not looked at."
_OF_SOME = frozenset({StepId.TOKEN, StepId.SECOND_FACTOR})
"""The steps that only some decisions have."""


def _steps(told: "_Told", end: StepId | None) -> Iterator[Step]:
    over = False
    for step in StepId:
        if not told.has(step):
            continue
        if over:
            yield Step(step, StepResult.NOT_REACHED, _NOT_REACHED)
            continue
        over = step is end
        result = StepResult.DOES_NOT_HOLD if over else StepResult.HOLDS
        yield Step(step, result, told.sentence(step))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the sentences of a decision are made of."""

    account: AccountState
    subject: Subject
    permission: str
    resource: AnyResource
    decision: Decision
    project_name: Callable[[str], str]
    given: AnyGiven | None

    def has(self, step: StepId) -> bool:
        """Return whether the decision has the step."""
        if step is StepId.SECOND_FACTOR:
            return self.account.require_second_factor
        return step is not StepId.TOKEN or self.subject.token is not None

    def sentence(self, step: StepId) -> str:
        """The sentence of a step that was reached."""
        if step is StepId.TOKEN:
            return self._token_text()
        if self._token_is_void and step is StepId.MEMBERSHIP:
            return void_token_text(self.account)
        denied = TEXT_OF_DENIAL.get(self.decision.reason)
        if denied is not None and step is ENDS_AT[self.decision.reason]:
            return denied
        if step in TEXT_OF_STEP:
            return TEXT_OF_STEP[step]
        texts: Mapping[StepId, Callable[[], str]] = {
            StepId.MEMBERSHIP: self._membership_text,
            StepId.PERMISSION: self._permission_text,
            StepId.RESOURCE: self._resource_text,
            StepId.PROJECT: self._project_text,
            StepId.GRANTS: self._grants_text,
            StepId.OWNER: self._owner_text,
            StepId.CONDITIONS: self._conditions_text,
        }
        return texts[step]()

    @property
    def _role(self) -> str:
        role_id = self.account.members[self.subject.user_id].role.source.partition(":")[2]
        return f"role {role_title(self.account, role_id)}"

    @property
    def _held(self) -> CompiledPermission | None:
        return self.account.catalog.permissions.get(self.permission)

    @property
    def _located(self) -> AnyResource:
        """The resource as the decision has it: registered, and with its project."""
        held = self._held
        found = None if held is None else located(self.account, held, self.resource)
        return self.resource if found is None else found

    @property
    def _token_is_void(self) -> bool:
        """Whether the user is a member, and the API token is what denies."""
        of_member = self.subject.user_id in self.account.members
        denied = self.decision.reason is Reason.NOT_A_MEMBER
        return denied and of_member and self.subject.token is not None

    def _token_text(self) -> str:
        if self.decision.reason is not Reason.TOKEN_RESTRICTED:
            return "The API token is live and reaches the permission and the place."
        token, held, words = (
            self.subject.token,
            self._held,
            self.account.catalog.catalog.policies.words,
        )
        if token is None or held is None:
            return ""  # a restriction only takes back what the creator holds
        project_id = self._located.project_id
        parts = withheld_by(self.account.catalog, token.restriction, held, project_id)
        texts = {
            "projects": f"it reaches certain {words.projects} only, and the check is not inside"
            " one of them",
            "levels": f"its levels do not include {self.permission}",
            "read_only": "it only reads",
        }
        withheld = "; ".join(texts[part] for part in parts)
        return f"The API token is live, and its restriction leaves this out: {withheld}."

    def _membership_text(self) -> str:
        return f"The user is an active member with the {self._role}."

    def _permission_text(self) -> str:
        if self._held is not None:
            return f"The catalog has the permission {self.permission}."
        nearest = nearest_to(self.permission, self.account.catalog.permissions)
        hint = "" if nearest is None else f" The nearest one is {nearest}."
        return f"The catalog has no permission {self.permission}.{hint}"

    def _resource_text(self) -> str:
        if self.decision.reason is Reason.RESOURCE_CONFLICT:
            return "The request names another owner or project than the one of the resource."
        if self.resource.id in (None, NO_RESOURCE_ID):
            return "The request names no single resource."
        kind = self.permission.partition(":")[0]
        if (kind, self.resource.id) in self.account.resources:
            return "The resource is registered. Its registered owner, project and properties count."
        return "The resource is not registered. What the request says of it counts."

    def _project_text(self) -> str:
        project_id, words = self._located.project_id, self.account.catalog.catalog.policies.words
        if project_id is None:
            return f"The check concerns no {words.project}."
        if project_id not in self.account.projects:
            return f"The account has no {words.project} {project_id}."
        return f"The account has the {words.project} {self._project}."

    @property
    def _project(self) -> str:
        return self.project_name(self._located.project_id or "")

    def _grants_text(self) -> str:
        matrix = deciding_matrix(self.account, self.subject.user_id, self.decision)
        word = self.account.catalog.catalog.policies.words.project
        source, role = f"The {self._role}", ""
        if matrix.source.startswith("override:"):
            source = f"The override in the {word} {self._project}"
            role = f" It replaces the {self._role} there."
        if self.decision.reason is Reason.PERMISSION_MISSING:
            return f"{source} does not grant {self.permission}.{role}"
        return f"{source} grants {self.permission}{self._reach()}.{role}"

    def _reach(self) -> str:
        """How far the grants reach, in words."""
        return " and".join(
            f"{' under conditions' if limited else ''} for {reached}"
            for scope, reached in ((Scope.ALL, "every resource"), (Scope.SELF, OWN))
            for limited in (False, True)
            if any(
                one.scope is scope and (one.when is not None) is limited
                for one in self._alternatives
            )
        )

    @property
    def _alternatives(self) -> tuple[Alternative, ...]:
        """The alternatives of the grant that decides."""
        matrix = deciding_matrix(self.account, self.subject.user_id, self.decision)
        granted = None if self._held is None else matrix.granted(self._held.bit)
        return () if granted is None else alternatives(granted)

    @property
    def _reaching(self) -> tuple[Alternative, ...]:
        """The alternatives that reach the resource, also those with an unmet condition."""
        owned = self._located.owner_id == self.subject.user_id
        return tuple(one for one in self._alternatives if one.scope is Scope.ALL or owned)

    def _owner_text(self) -> str:
        match self.decision.reason:
            case Reason.OWNER_UNKNOWN:
                return "The owner of the resource is not known, so it is not one of the user's own."
            case Reason.NOT_OWNER:
                return "The user does not own the resource."
        deciding = self._reaching
        if self.decision.allowed:
            facts = self._facts
            deciding = tuple(one for one in deciding if one.when is None or one.when.holds(facts))
        if not any(one.scope is Scope.ALL for one in deciding):
            return "The user owns the resource."
        if self.decision.allowed or all(one.scope is Scope.ALL for one in self._alternatives):
            return "The grant is for every resource, so the owner does not matter."
        return "A part of the grant is for every resource, and another for the user's own."

    def _conditions_text(self) -> str:
        reaching = self._reaching
        if any(one.when is None for one in reaching):
            return "The grant has no condition."
        facts = self._facts
        conditions = [one.when for one in reaching if one.when is not None]
        met = [one for one in conditions if one.holds(facts)]
        if met:
            return f"The condition of the grant is met: {met[0].describe()}."
        lacks = [
            " and ".join(missing(one, facts, reached=one in reaching)) for one in self._alternatives
        ]
        return f"No condition of the grant is met. Missing is: {'; or '.join(lacks)}."

    @property
    def _facts(self) -> Facts:
        member = self.account.members[self.subject.user_id]
        return check_facts(member, self._located, self.given)


def void_token_text(account: AccountState) -> str:
    """Why no check by an API token of a member is allowed."""
    if not has_api_tokens(account.catalog):
        return "The catalog of the account has no API tokens, so none counts."
    return "The API token belongs to an earlier membership of the user."


def role_title(account: AccountState, role_id: str) -> str:
    """What a role is called; its id when the account does not have it any more."""
    role = account.catalog.role(role_id)
    return role_id if role is None else role.title
