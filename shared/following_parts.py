"""The parts of a service that follows journals of others, connected with each other."""

from collections.abc import Mapping

from shared.bus import Subscription
from shared.contracts.topology import FOLLOWER_QUEUES
from shared.following.follower import Follower
from shared.following.followers import Followers
from shared.following.held_state import HeldState
from shared.following.journal_view import JournalView, ReplicaState
from shared.parts import Parts
from shared.runtime.supervisor import Loop


class Following:
    """The followed journals of one process: their state, loops, subscription and checks.

    A service that decides from what another one wrote follows its journal in this way, whichever
    journals those are.
    """

    def __init__(
        self,
        parts: Parts,
        states: Mapping[str, ReplicaState],
        *,
        slot: str,
        view: type[JournalView] = JournalView,
        shards: Mapping[str, frozenset[int]] | None = None,
    ) -> None:
        """Follow these sources into these states; `slot` names the process in the lease rows.

        Of accounts a source of `shards` needs to tell those of these shards only, and each change
        of others is dropped: the state must never be asked about them.
        """
        held = shards or {}
        self.followers = {
            source: Follower(
                source,
                view=view(HeldState(state, held[source]) if source in held else state),
                slot=slot,
                internal=parts.internal,
                verifier=parts.verifier,
                clock=parts.clock,
                timeouts=parts.timeouts,
                shards=held.get(source),
            )
            for source, state in states.items()
        }
        self._bus = parts.bus
        self._subscriber = Followers(parts.verifier, *self.followers.values(), clock=parts.clock)
        self._queue = FOLLOWER_QUEUES[parts.service]
        self._running: list[Subscription] = []

    @property
    def tasks(self) -> Mapping[str, Loop]:
        """The loops of every follower."""
        return {
            f"{source}-{name}": loop
            for source, follower in self.followers.items()
            for name, loop in (
                ("lease", follower.renew),
                ("fetch", follower.fetch),
                ("report", follower.report),
            )
        }

    def checks(self) -> Mapping[str, bool]:
        """Whether each lease holds."""
        return {source: follower.holds() for source, follower in self.followers.items()}

    @property
    def connected(self) -> bool:
        """Whether facts can arrive by the bus right now."""
        return bool(self._running) and all(each.connected for each in self._running)

    async def start(self) -> None:
        """Subscribe to the facts of the sources."""
        followers = self._subscriber
        self._running.append(
            await self._bus.subscribe(self._queue, followers.handle, on_resync=followers.check_now)
        )

    async def stop(self) -> None:
        """Stop answering, return every lease, and close the subscription."""
        for follower in self.followers.values():
            await follower.release()
        for subscription in self._running:
            await subscription.close()
