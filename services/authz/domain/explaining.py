"""The explanation of a check, and what of it the caller may see."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import partial

from rolecall import (
    ENDS_AT,
    AccountState,
    Decision,
    Denial,
    Grantors,
    Reason,
    Remedies,
    Resource,
    Step,
    StepId,
    StepResult,
    Subject,
    decide,
    explain,
    steps_of_denial,
)
from rolecall.core.grantors import grantors_in_parts
from rolecall.core.parts import Parts
from rolecall.core.remedies import remedies_in_parts
from services.authz.domain.checks import (
    SHOWS_MEMBERSHIP,
    OtherSubject,
    PermissionCheck,
    decide_for_user,
    subject_of,
)
from shared.auth.api_tokens import looks_like_api_token

SEE_MEMBERS, SEE_ROLES, SEE_PROJECT = "member:view", "role:view", "project:view"

_UNTOLD = {
    Reason.NO_ACCOUNT: "No account is known for this check. Name the account, and check its id.",
    Reason.USER_DISABLED: "The user is disabled. Ask the platform.",
    Reason.SESSION_ENDED: "The session has ended. The user has to sign in again.",
    Reason.NOT_A_MEMBER: "The user is not an active member of an account with this id.",
}
"""What a user is told of an account that they may not learn about."""


class SubjectHidden(OtherSubject):
    """A user asks about another one in an account whose members they may not see."""

    detail = (
        "You can ask about yourself, and about others in an account whose members you may see."
        " Name such an account, or use a service client."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedySearch:
    """A denial for which it is sought what would allow, and how much of that the asker may see."""

    denial: Denial
    shows_roles: bool
    shows_members: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A decision with its steps; `sought` is `None` for an allow, and for what is not told."""

    decision: Decision
    steps: tuple[Step, ...]
    sought: RemedySearch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldAllow:
    """What would allow a denied check; who could grant it, for an asker who sees the members."""

    remedies: Remedies
    grantors: Grantors | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks: a user about themselves or another member, or a service client (`None`)."""

    user_id: str | None

    def holds(
        self,
        account: AccountState,
        permission: str,
        project_id: str | None = None,
        *,
        with_factor: Container[str],
        now: int,
    ) -> bool:
        """Whether the asker has the permission; a service client may ask about everything."""
        if self.user_id is None:
            return True
        place = Resource(project_id=project_id)
        subject = Subject(self.user_id, second_factor=self.user_id in with_factor)
        return decide(account, subject, permission, place, now=now).allowed


def explain_check(
    account: AccountState | None,
    check: PermissionCheck,
    *,
    asker: Asker,
    project_name: Callable[[str], str],
    sign_in_denial: Reason | None,
    with_factor: Container[str],
    now: int,
) -> Explained:
    """Explain a check; `now` is in epoch milliseconds.

    A user who asks about themselves learns of an account only what a check shows them.
    `project_name` gives the name of a project; one that the asker may not view is shown by its id.
    `with_factor` has the users with a second factor.
    """
    if asker.user_id == check.user_id:
        shown = decide_for_user(account, check, sign_in_denial=sign_in_denial, now=now)
        if shown.reason not in SHOWS_MEMBERSHIP:
            return _untold(shown)
    if account is None:
        return _untold(Decision(allowed=False, reason=Reason.NO_ACCOUNT))
    subject = subject_of(check.user_id, sign_in_denial, check.token)
    holds = partial(asker.holds, account, with_factor=with_factor, now=now)
    found = explain(
        account,
        subject,
        check.permission,
        check.resource,
        now=now,
        given=check.given,
        project_name=lambda one: project_name(one) if holds(SEE_PROJECT, one) else one,
    )
    if found.decision.allowed:
        return Explained(decision=found.decision, steps=found.steps)
    denial = Denial(
        account,
        subject,
        check.permission,
        check.resource,
        found.decision,
        now,
        check.given,
        with_factor=with_factor,
    )
    return Explained(
        decision=found.decision,
        steps=found.steps,
        sought=RemedySearch(
            denial=denial, shows_roles=holds(SEE_ROLES), shows_members=holds(SEE_MEMBERS)
        ),
    )


def would_allow(sought: RemedySearch) -> Parts[WouldAllow]:
    """Find what would allow, in parts."""
    denial = sought.denial
    wanted = yield from remedies_in_parts(denial, with_custom_roles=sought.shows_roles)
    if not sought.shows_members:
        return WouldAllow(remedies=wanted, grantors=None)
    found = yield from grantors_in_parts(denial, wanted)
    return WouldAllow(remedies=wanted, grantors=found)


def steps_of_past(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps of a decision about a past time: how the user was signed in is not known."""
    return tuple(
        Step(step.id, StepResult.NOT_REACHED, _SIGN_IN_LEFT_OUT)
        if step.id in _OF_SIGN_IN and step.result is StepResult.HOLDS
        else step
        for step in steps
    )


_OF_SIGN_IN = frozenset({StepId.USER, StepId.SESSION, StepId.SECOND_FACTOR})
_SIGN_IN_LEFT_OUT = "This does not count for a past time."


def _untold(decision: Decision) -> Explained:
    return Explained(
        decision=decision,
        steps=steps_of_denial(ENDS_AT[decision.reason], _UNTOLD[decision.reason]),
    )


def steps_of_unknown_token(token_id: str, *, past: bool) -> tuple[Step, ...]:
    """The steps of a check by an API token that does not exist, or is asked about for the past."""
    if looks_like_api_token(token_id):
        return steps_of_denial(StepId.TOKEN, TOKEN_AS_ID)
    return steps_of_denial(StepId.TOKEN, _PAST_TOKEN if past else _NO_TOKEN)


TOKEN_AS_ID = (
    "This is an API token itself. Send its id, which begins with tok_. If the token may have been"  # noqa: S105
    " written down on the way, revoke it."
)
_NO_TOKEN = "There is no such API token: it was revoked, has expired, or never was one."  # noqa: S105
_PAST_TOKEN = "What API tokens could do is not kept. Ask about the user who made it."  # noqa: S105


def steps_of_name(
    steps: tuple[Step, ...], name: str, *, shared: bool, past: bool
) -> tuple[Step, ...]:
    """The steps of a check whose subject is named by a text that names no member."""
    has = ("had" if past else "have") if shared else ("had" if past else "has")
    which = "Several members" if shared else "No member"
    names = ", so it names none of them. Name" if shared else ". Check the id, or name"
    text = f"{which} of the account {has} the external id {name}{names} the subject by the user id."
    return tuple(
        Step(step.id, step.result, text) if step.id is StepId.MEMBERSHIP else step for step in steps
    )


def steps_of_unknown_subject(subject_type: str) -> tuple[Step, ...]:
    """The steps of a check whose subject is of a type without permissions of its own."""
    text = f"Subjects of the type {subject_type} hold no permissions. Ask about a user."
    return steps_of_denial(StepId.USER, text)
