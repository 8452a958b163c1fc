"""How long the services wait, as one object that is handed in."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Every wait that a test may need to be longer or shorter, in seconds.

    The defaults are those of production. A constructor takes `timeouts: Timeouts = Timeouts()`;
    `build()` of a service hands one object to all of them.
    """

    start: float = 60.0
    """A service's opening steps are tried for so long."""
    database: float = 2.5
    """Each operation of the database."""
    transaction: float = 2.5
    """All attempts of one transaction of a journal."""
    migration_lock: float = 10.0
    """A replica that migrates the database and falls silent is succeeded after so long."""
    publish: float = 2.0
    """A publish to the bus, and the first connection of a subscription."""
    handler_drain: float = 5.0
    """Bus handlers that are running when their subscription closes."""
    cancel_again: float = 1.0
    """A task that did not end is cancelled again after so long."""
    shard_turn: float = 5.0
    """A write waits so long for the earlier writes of its shard in this process."""
    barrier: float = 2.0
    """A write waits so long until every replica of authz has applied it."""
    catch_up: float = 0.1
    """A check waits so long for the revision that it names."""
    decide: float = 0.2
    """A service waits so long for one decision of authz."""
    internal_call: float = 2.0
    """A service waits so long for the answer of another, over all its replicas."""
    source_call: float = 1.0
    """A replica of authz waits so long for an answer of team or identity."""
    snapshot_page: float = 10.0
    """A replica of authz waits so long for one page of a snapshot."""

    mail_claim: float = 6.0
    """A claimed mail goes to another sender when its claim was not renewed for so long."""
    mail_poll: float = 1.0
    """The sender of mails looks for due mails at least this often."""
    mail_drain: float = 5.0
    """Mails in hand when the sender stops; a mail that is cut off may be sent twice."""
    mail_save_retry: float = 1.0
    """The pause before the result of a mail is saved again."""
    smtp_connect: float = 10.0
    """Connecting to the mail server, and short commands there."""
    smtp_reply: float = 120.0
    """A reply to a mail: a server that scans mails is slow, and giving up risks a second mail."""
    smtp_idle: float = 30.0
    """A connection to the mail server that was unused for so long is not used again."""


DEFAULT_TIMEOUTS = Timeouts()
