"""How long the services wait, as one object that is handed in."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Every wait that a test may need to be longer or shorter, in seconds.

    The defaults are those of production. The `timeouts` of a constructor default to
    `DEFAULT_TIMEOUTS`; `build()` of a service hands one object to all of them.
    """

    start: float = 60.0
    """The longest time in which a service tries its opening steps."""
    request: float = 30.0
    """The longest time from the headers of a request to its answer, which is 503 after it."""
    database: float = 2.5
    """The longest wait for one operation of the database."""
    transaction: float = 2.5
    """The longest time for all attempts of one transaction of a journal."""
    transaction_attempt: float = 5.0
    """The longest time from the first statement of a transaction to its commit. `COMPLETENESS_LAG`
    of the inbox is longer."""
    transaction_end: float = 0.5
    """The longest wait for the abort of a transaction that the database did not answer, and for the
    look-up of an unanswered commit: the time by which a failing write outlasts its transaction."""
    migration_lock: float = 10.0
    """The time after which another replica replaces a silent one that migrates the database."""
    publish: float = 2.0
    """The longest wait for a publish to the bus, and for the first connection of a subscription."""
    broker_probe: float = 3.0
    """The pause between two questions of a subscription whether its broker is there."""
    broker_answer: float = 5.0
    """The longest wait for the answer. With the pause it bounds how long a frozen broker counts as
    connected."""
    handler_drain: float = 5.0
    """The longest wait for running bus handlers when their subscription closes."""
    cancel_again: float = 1.0
    """The time after which a task that did not end is cancelled again."""
    shard_turn: float = 5.0
    """The longest wait of a write for the earlier writes of its shard in this process."""
    policy: float = 1.5
    """The longest time of the changes of one policy. Other writes of the shard wait for them."""
    barrier: float = 2.0
    """The longest wait of a write until every replica of authz has applied it."""
    report: float = 0.1
    """The longest time until a replica of authz reports rows that change no decision."""
    catch_up: float = 0.1
    """The longest wait of a check for the revision that it names."""
    personal_account: float = 0.3
    """The longest wait of a sign-up until team has made the personal account."""
    personal_account_everywhere: float = 0.08
    """The longest wait of team, within the one above, until every replica of authz has a new
    personal account. Short enough that three replicas of team can be asked in turn."""
    joining: float = 3.5
    """The longest wait of a sign-in through an account's connection until team has made the
    membership and each replica of authz has it."""
    batch: float = 2.0
    """The longest time from the first evaluation of a batch to its last. It is shorter than a
    lease, so that no answer has a decision from before a lease that ran out meanwhile."""
    check_rest: float = 0.05
    """How long authz waits for the rest of a check that has begun, before aiohttp does: it has the
    limits of slow senders."""
    decide: float = 1.5
    """The longest wait for one decision of authz, over all its replicas. Three silent ones
    cost half a second each."""
    issuer: float = 5.0
    """The longest wait for one answer of an issuer. A sign-in needs three at most."""
    internal_call: float = 2.0
    """The longest wait for the answer of another service, over all its replicas."""
    source_call: float = 1.0
    """The longest wait of a replica of authz for an answer of team or identity."""
    busy_source: float = 3.0
    """The same for a replica without a lease, if the calls before had no answer. A lease from a
    later answer would be over."""
    snapshot_page: float = 10.0
    """The longest wait of a replica of authz for one page of a snapshot."""

    stream_lease: float = 3.0
    """How long a reader of the policy stream may rely on what it was told: its staleness bound."""
    stream_beat: float = 0.75
    """The pause between two grants of that lease."""
    stream_stall: float = 10.0
    """The longest time in which a reader of the policy stream takes nothing."""
    stream_resume: float = 15.0
    """How long the last changes are kept for a reader that lost its connection."""

    provisioning: float = 10.0
    """The time after which a provisioning request begins no further transaction. What is left is
    answered as not done, so that the answer comes before the deadline of every request."""

    key_poll: float = 0.5
    """The pause between two looks of identity for changed signing keys. A revoked key is refused
    within a second."""

    token_poll: float = 60.0
    """The pause between two looks of identity for API tokens that end soon."""

    deletion_poll: float = 60.0
    """The pause between two looks of team for accounts whose rows are to be deleted."""
    offer_poll: float = 60.0
    """The pause between two looks of team for offers of an ownership whose time is over."""

    activity: float = 60.0
    """The pause between two batches that say when members were last active."""
    denials: float = 0.5
    """The pause between two batches of denied decisions, of which a crash loses the last."""

    history_poll: float = 60.0
    """The pause between two looks of team for rows that its history does not name yet."""
    history: float = 1.5
    """The longest wait of authz for team's answer about a past time."""

    trim_poll: float = 300.0
    reseal_poll: float = 300.0
    """The pause between two looks of a source for rows that no consumer needs."""
    confirm_poll: float = 60.0
    """The pause between two confirmations of a consumer: which rows it does not need any more."""

    mail_claim: float = 6.0
    """The time after which a claim that was not renewed goes to another sender."""
    mail_poll: float = 1.0
    """The longest pause between two looks for due mails."""
    mail_drain: float = 5.0
    """The longest wait for mails in hand at a stop. A mail that is cut off may be sent twice."""
    mail_save_retry: float = 1.0
    """The pause before the result of a mail is saved again."""
    webhook: float = 15.0
    """The longest time of one request to the receiver of a webhook."""
    webhook_claim: float = 60.0
    """The time after which a request of a crashed sender is made again by another."""
    webhook_poll: float = 1.0
    """The longest pause between two looks for due requests."""
    stream: float = 15.0
    """The longest time of one request to the receiver of a stream of the audit log."""
    stream_poll: float = 1.0
    """The pause between two looks whether logs that are streamed have grown."""
    smtp_connect: float = 10.0
    """The longest wait for a connection to the mail server, and for short commands there."""
    smtp_reply: float = 120.0
    """The longest wait for the reply to a mail. A server that scans mails is slow, and giving up
    risks a second mail."""
    smtp_idle: float = 30.0
    """The time after which an unused connection to the mail server is not used again."""


DEFAULT_TIMEOUTS = Timeouts()
