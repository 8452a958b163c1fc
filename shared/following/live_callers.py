"""Whether the session, client or API token of a caller exists: identity's journal in memory."""

from collections.abc import Collection

from shared.auth.account_refusals import SecondFactorRequired
from shared.auth.bindings import ACT_SCOPE
from shared.auth.principals import (
    AccessTokenRef,
    ApiTokenPrincipal,
    Bearer,
    DelegatedPrincipal,
    UserPrincipal,
)
from shared.clock import Clock, SystemClock
from shared.contracts.facts import Actor
from shared.following.follower import Follower
from shared.following.sign_in_state import SignInState
from shared.problems import ApiTokenOver, Stale, TokenRevoked


class LiveCallers:
    """Refuses callers that identity has ended, and every caller while that cannot be known."""

    def __init__(
        self, sign_ins: SignInState, identity: Follower, *, clock: Clock | None = None
    ) -> None:
        self._sign_ins = sign_ins
        self._identity = identity
        self._clock = clock or SystemClock()

    def live(
        self,
        *,
        session_id: str | None = None,
        client_id: str | None = None,
        token_id: str | None = None,
        acting: Collection[str] = (),
        access_token: AccessTokenRef | None = None,
        made_of: Collection[AccessTokenRef] = (),
    ) -> bool:
        """Return whether the session has not ended, and the client and the API token exist.

        Neither the access token of the request nor its key may be revoked, nor one that it was
        `made_of`. The clients `acting` for the user of the session must all exist, and may act for
        users.

        The state is read first and the lease is tested afterwards, with no await in between. A
        process that was stopped anywhere before the test does not answer from before the stop.

        Raises:
            Stale: the lease from identity does not hold.
        """
        live = (
            (session_id is None or not self._sign_ins.session_ended(session_id))
            and (client_id is None or self._sign_ins.client(client_id) is not None)
            and (token_id is None or self.api_token(token_id) is not None)
            and all(self.may_act_for_users(each) for each in acting)
            and (access_token is None or not self._sign_ins.refused_tokens.has(access_token))
            and not any(self._sign_ins.refused_tokens.has(each) for each in made_of)
        )
        if not self._identity.holds():
            raise Stale
        return live

    def may_act_for_users(self, client_id: str) -> bool:
        """Return whether there is such a service client, with the scope to act for users."""
        client = self._sign_ins.client(client_id)
        return client is not None and ACT_SCOPE in client.scopes

    def api_token(self, token_id: str) -> ApiTokenPrincipal | None:
        """The API token of this id, as far as is known; `None` if it is over.

        That of a disabled user is over until the user is enabled.
        """
        return self._of_enabled(self._sign_ins.api_tokens.get(token_id, now=self._clock.now()))

    def _of_enabled(self, token: ApiTokenPrincipal | None) -> ApiTokenPrincipal | None:
        return None if token is None or self._sign_ins.user_disabled(token.user_id) else token

    async def find_api_token(self, digest: str) -> ApiTokenPrincipal:
        """Return the API token with this SHA-256.

        Raises:
            ApiTokenOver: there is none, or it has expired.
            Stale: as `live`.
        """
        found = self._of_enabled(self._sign_ins.api_tokens.find(digest, now=self._clock.now()))
        if not self._identity.holds():
            raise Stale
        if found is None:
            raise ApiTokenOver
        return found

    def has_second_factor(self, user_id: str) -> bool:
        """Return whether the user has a second factor.

        Raises:
            Stale: as `live`.
        """
        found = self._sign_ins.has_second_factor(user_id)
        if not self._identity.holds():
            raise Stale
        return found

    def resource_types_of(self, account_id: str) -> set[str]:
        """The types to which service clients of this account are bound, as far as is known."""
        clients = self._sign_ins.clients_of(account_id)
        return {one for client in clients for one in client.resource_types or ()}

    async def check(self, principal: Bearer) -> None:
        """Check the caller of a request, as `check_now`."""
        self.check_now(principal)

    def check_now(self, principal: Bearer) -> None:
        """Check the caller of a request.

        Raises:
            TokenRevoked: the session has ended, there is no such client or API token, or the
                access token or its key is revoked.
            Stale: as `live`.
        """
        if isinstance(principal, UserPrincipal):
            live = self.live(session_id=principal.session_id, access_token=principal.access_token)
        elif isinstance(principal, DelegatedPrincipal):
            live = self.live(
                session_id=principal.session_id,
                acting=principal.client_ids,
                access_token=principal.access_token,
                made_of=principal.made_of,
            )
        elif isinstance(principal, ApiTokenPrincipal):
            live = self.live(token_id=principal.token_id)
        else:
            live = self.live(client_id=principal.client_id, access_token=principal.access_token)
        if not live:
            raise ApiTokenOver if isinstance(principal, ApiTokenPrincipal) else TokenRevoked

    def check_actor(self, actor: Actor, factor_of: str | None = None) -> None:
        """Check the session or API token of a write's actor again; other actors pass.

        `factor_of` is the user of whom the account demands a second factor.

        Raises:
            TokenRevoked, Stale: as `check`.
            SecondFactorRequired: that user has none any more.
        """
        if factor_of is not None and not self.has_second_factor(factor_of):
            raise SecondFactorRequired
        if actor.session_id is None and actor.token_id is None:
            return
        if not self.live(session_id=actor.session_id, token_id=actor.token_id):
            raise TokenRevoked
