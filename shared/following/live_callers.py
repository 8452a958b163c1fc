"""Whether a caller's session or service client still exists, from identity's journal in memory."""

from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.contracts.facts import Actor
from shared.following.follower import Follower
from shared.following.sign_in_state import SignInState
from shared.problems import Stale, TokenRevoked


class LiveCallers:
    """Refuses callers that identity has ended, and every caller while that cannot be known."""

    def __init__(self, sign_ins: SignInState, identity: Follower) -> None:
        self._sign_ins = sign_ins
        self._identity = identity

    def live(self, *, session_id: str | None = None, client_id: str | None = None) -> bool:
        """Return whether the session has not ended, and the service client exists.

        The state is read first and the lease is tested afterwards, with no await in between. A
        process that was stopped anywhere before the test does not answer from before the stop.

        Raises:
            Stale: the lease from identity does not hold.
        """
        live = (session_id is None or not self._sign_ins.session_ended(session_id)) and (
            client_id is None or self._sign_ins.client(client_id) is not None
        )
        if not self._identity.holds():
            raise Stale
        return live

    def resource_types_of(self, account_id: str) -> set[str]:
        """The types to which service clients of this account are bound, as far as is known."""
        clients = self._sign_ins.clients_of(account_id)
        return {one for client in clients for one in client.resource_types or ()}

    async def check(self, principal: UserPrincipal | ClientPrincipal) -> None:
        """Check the caller of a request, as `check_now`."""
        self.check_now(principal)

    def check_now(self, principal: UserPrincipal | ClientPrincipal) -> None:
        """Check the caller of a request.

        Raises:
            TokenRevoked: the session has ended, or the service client does not exist.
            Stale: as `live`.
        """
        if isinstance(principal, UserPrincipal):
            live = self.live(session_id=principal.session_id)
        else:
            live = self.live(client_id=principal.client_id)
        if not live:
            raise TokenRevoked

    def check_actor(self, actor: Actor) -> None:
        """Check the session of a write's actor again; an actor without a session passes.

        Raises:
            TokenRevoked, Stale: as `check`.
        """
        if actor.session_id is not None and not self.live(session_id=actor.session_id):
            raise TokenRevoked
