"""The use cases of authz without a server: a state that is put together, and leases that hold."""

from collections.abc import Callable, Container, Iterable
from types import SimpleNamespace
from typing import Any

from rolecall import AccountState, Resource
from services.authz.adapters.check_counter import CheckCounter
from services.authz.domain.allow_samples import NO_SAMPLES
from services.authz.domain.decision_counts import DecisionCounts
from services.authz.domain.evaluations import EvaluationRequest
from services.authz.domain.policy_state import PolicyState
from services.authz.use_cases.context import Ctx
from shared.activity import RecentActivity
from shared.auth.principals import ClientPrincipal
from shared.clock import SystemClock
from shared.contracts.policy_objects import PolicyObject, ServiceClientObject
from shared.ids import ClientId
from shared.token_uses import TokenUses
from tests.services.authz.conftest import TIMEOUTS
from tests.services.authz.histories import ACCOUNT, CLIENT, STANDARD, account, catalog

PRINCIPAL = ClientPrincipal(client_id=ClientId(CLIENT), scopes=frozenset({"authz:check"}))


class StoppedPolicy(PolicyState):
    """The leases have run out after a certain look at the state: the process was stopped."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.left = looks

    def account(self, account_id: str) -> AccountState | None:
        """Look at an account."""
        self.left -= 1
        return super().account(account_id)

    def holds(self) -> bool:
        """Return whether the leases hold."""
        return self.left > 0


def context(
    objects: Iterable[PolicyObject],
    *,
    policy: PolicyState | None = None,
    holds: Callable[[], bool] = lambda: True,
    over: Container[str] = frozenset(),
) -> Ctx:
    """What the use cases get, with an account, these objects, and the sessions that are `over`."""
    known = policy or PolicyState()
    whole = (catalog(STANDARD.id), account(), *objects)
    known.put([one.model_copy(update={"rev": 1}) for one in whole])
    view = SimpleNamespace(applied={}, epoch=None)
    follower: Any = SimpleNamespace(holds=holds, source="team", view=view)
    client = ServiceClientObject(name="compute", scopes=("authz:check",))
    sign_ins: Any = SimpleNamespace(
        client={CLIENT: client}.get,
        ended_sessions=list,
        session_ended=lambda session_id: session_id in over,
        user_disabled=lambda user_id: user_id in over,
        disabled_users=over,
        has_second_factor=lambda _: False,
        second_factor_users=(),
    )
    absent: Any = None
    return Ctx(
        policy=known,
        sign_ins=sign_ins,
        team=follower,
        identity=follower,
        callers=absent,
        feed=absent,
        denials=DecisionCounts(),
        allows=NO_SAMPLES,
        past=absent,
        places=absent,
        activity=RecentActivity(),
        token_uses=TokenUses(),
        counter=CheckCounter(sample=0),
        clock=SystemClock(),
        public_url="",
        forward_auth=None,
        timeouts=TIMEOUTS,
    )


def request(user: str, action: str = "write", resource_id: str = "i-1") -> EvaluationRequest:
    """A check of an instance."""
    return EvaluationRequest(
        subject_type="user",
        subject_id=user,
        session_id=None,
        action=action,
        resource_type="instance",
        resource=Resource(resource_id),
        account_id=ACCOUNT,
        at_least_revision=None,
    )
