"""The table of faults: what breaks, and the alerts that must fire."""

from __future__ import annotations

import asyncio
import resource
import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import aio_pika

from shared.contracts.topology import TOPOLOGY, Service
from shared.ids import new_id
from tests.faults.alert_data_faults import (
    a_damaged_account,
    a_damaged_user,
    a_fact_set_aside,
    a_file_that_cannot_be_read,
    a_sealer_that_is_gone,
    an_altered_tree,
)
from tests.faults.alert_drill import (
    FIRES_SECONDS,
    Drill,
    Injection,
    asking,
    change_role,
    check,
    killed,
    rename,
    sign_up,
    stopped,
)
from tests.faults.alert_receiver_faults import (
    a_silent_mail_server,
    a_silent_receiver,
    no_internet,
    no_mail_server,
    refused_mails,
)
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FAR_REVISION = 10**9
CROWD = 60
MASS = 10_500
TRIMMED = 'rolecall_journal_trimmed_rows_total{service="team"} > 0'
NOT_CAUSED = {"RolecallDiskFull"}
"""A test cannot fill a disk; promtool alone evaluates this alert."""


@asynccontextmanager
async def a_frozen_replica(drill: Drill) -> AsyncIterator[None]:
    """A replica of authz stops for a while; changes wait for its lease."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(stopped(drill.process("authz", 1)))
        await stack.enter_async_context(asking(drill, partial(change_role, drill)))
        yield


@asynccontextmanager
async def unknown_revisions(drill: Drill) -> AsyncIterator[None]:
    """A service asks for revisions that never come, and each check waits for one in vain."""
    answer = await drill.team.owner.send_once("PATCH", drill.team.path, {"name": "Revised"})
    revision = answer.headers["Rolecall-Revision"].rpartition(".")[0]
    later = f"{revision}.{FAR_REVISION}"
    async with asking(drill, partial(check, drill, at_least_revision=later)):
        yield


@asynccontextmanager
async def no_team(drill: Drill) -> AsyncIterator[None]:
    """Team and the database are there, but its process is frozen."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(stopped(drill.process("team")))
        await stack.enter_async_context(asking(drill, partial(check, drill)))
        yield


@asynccontextmanager
async def no_identity_at_a_start(drill: Drill) -> AsyncIterator[None]:
    """audit starts while identity is away, and knows no keys."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(killed(drill.process("identity")))
        audit = drill.process("audit")
        await asyncio.to_thread(audit.kill)
        starting = asyncio.create_task(asyncio.to_thread(audit.start))
        yield
    await starting


@asynccontextmanager
async def no_database(drill: Drill) -> AsyncIterator[None]:
    """The database is killed, while users go on."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(killed(drill.product.database))
        await stack.enter_async_context(asking(drill, partial(rename, drill)))
        yield


@asynccontextmanager
async def no_broker(drill: Drill) -> AsyncIterator[None]:
    """RabbitMQ is killed, while users go on."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(killed(drill.product.broker))
        await stack.enter_async_context(asking(drill, partial(rename, drill), pause=1))
        yield


@asynccontextmanager
async def a_forged_message(drill: Drill) -> AsyncIterator[None]:
    """A thief publishes with the password of notification."""
    connection = await aio_pika.connect(drill.product.broker_url(Service.NOTIFICATION))
    async with connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(TOPOLOGY.exchange_of("notification"), ensure=False)

        async def forge() -> None:
            message = aio_pika.Message(b"{}", message_id=new_id("evt"))
            await exchange.publish(message, "notification.message.sent.v1")

        async with asking(drill, forge, pause=1):
            yield


@asynccontextmanager
async def a_poisoned_subscription(drill: Drill) -> AsyncIterator[None]:
    """audit fails to handle each change of an account's name."""
    audit = drill.process("audit")
    healthy = audit.arguments
    await asyncio.to_thread(audit.stop)
    audit.arguments = (*healthy, "team.account.renamed.v1")
    await asyncio.to_thread(audit.start)
    try:
        async with asking(drill, partial(rename, drill), pause=1):
            yield
    finally:
        await asyncio.to_thread(audit.stop)
        audit.arguments = healthy
        await asyncio.to_thread(audit.start)


@asynccontextmanager
async def a_crowd(drill: Drill) -> AsyncIterator[None]:
    """Strangers sign in at once, past the gateway's limits."""
    person = drill.world.person("Stranger")
    url = drill.process("identity").url
    body = {"email": person.email, "password": secrets.token_hex(8)}
    knock = partial(person.send_once, "POST", "/v1/login", body, base=url)
    async with asking(drill, *[knock] * CROWD):
        yield


@asynccontextmanager
async def a_small_limit_of_files(drill: Drill) -> AsyncIterator[None]:
    """The process may open few more files than it has."""
    pid = drill.process("audit").pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    [used] = {
        int(float(one["value"][1]))
        for one in drill.prometheus.query('process_open_fds{instance="audit-0"}')
    }
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 5, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@asynccontextmanager
async def a_flood_for_a_mailbox(drill: Drill) -> AsyncIterator[None]:
    """Someone signs up a stranger's address, again and again."""
    async with asking(drill, *[partial(sign_up, drill, "victim@example.com")] * 4):
        yield


@asynccontextmanager
async def a_consumer_that_is_gone(drill: Drill) -> AsyncIterator[None]:
    """audit has been away for longer than the journals are kept."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(killed(drill.process("audit")))
        for _ in range(3):
            await rename(drill)
        await _make_rows_old(drill)
        yield


@asynccontextmanager
async def a_full_disk_of_the_broker(drill: Drill) -> AsyncIterator[None]:
    """The broker wants more free disk than there is."""
    control = drill.product.broker.control
    await asyncio.to_thread(control, "set_disk_free_limit", "900000GB")
    try:
        yield
    finally:
        await asyncio.to_thread(control, "set_disk_free_limit", "50MB")


@asynccontextmanager
async def a_queue_without_its_service(drill: Drill) -> AsyncIterator[None]:
    """audit is away while masses of messages arrive."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(killed(drill.process("audit")))
        connection = await aio_pika.connect(drill.product.broker_url(Service.NOTIFICATION))
        await stack.enter_async_context(connection)
        channel = await connection.channel(publisher_confirms=False)
        exchange = await channel.get_exchange(TOPOLOGY.exchange_of("notification"), ensure=False)
        for _ in range(MASS):
            await exchange.publish(aio_pika.Message(b"{}"), "notification.message.sent.v1")
        yield
        await asyncio.to_thread(drill.product.broker.control, "purge_queue", "rolecall.audit")


@asynccontextmanager
async def a_service_without_its_past(drill: Drill) -> AsyncIterator[None]:
    """audit loses its database after its sources have deleted old rows. It is the last fault."""
    await _make_rows_old(drill)

    async def trimmed() -> bool:
        found = await asyncio.to_thread(drill.prometheus.query, TRIMMED)
        return bool(found)

    await wait_for(trimmed, within=FIRES_SECONDS, what="rows that are trimmed")
    async with killed(drill.process("audit")):
        await asyncio.to_thread(drill.database.drop_database, "rolecall_audit")
    yield


async def _make_rows_old(drill: Drill) -> None:
    old = {"$set": {"occurred_at": datetime.now(UTC) - timedelta(days=90)}}
    await asyncio.to_thread(drill.collection("team", "journal").update_many, {}, old)


FAULTS: tuple[tuple[Injection, tuple[str, ...]], ...] = (
    (a_forged_message, ("RolecallRowsRefused",)),
    (a_frozen_replica, ("RolecallProcessDown", "RolecallChangesWait")),
    (unknown_revisions, ("RolecallChecksSlow", "RolecallStaleChecks")),
    (a_fact_set_aside, ("RolecallDeadFacts",)),
    (a_damaged_account, ("RolecallDueWorkFails", "RolecallTasksCrash")),
    (a_damaged_user, ("RolecallInternalErrors",)),
    (a_crowd, ("RolecallRequestsNotAdmitted",)),
    (a_small_limit_of_files, ("RolecallOpenFiles",)),
    (a_flood_for_a_mailbox, ("RolecallMailsWithheld",)),
    (a_poisoned_subscription, ("RolecallDeadLetters",)),
    (no_identity_at_a_start, ("RolecallNotReady",)),
    (no_team, ("RolecallServiceGone", "RolecallLeaseInvalid", "RolecallFactsLate")),
    (no_database, ("RolecallDatabaseAway", "RolecallRequestsUnavailable")),
    (no_broker, ("RolecallBusAway", "RolecallJournalUnsent")),
    (a_silent_mail_server, ("RolecallMailsOverdue",)),
    (no_mail_server, ("RolecallMailsNotSent", "RolecallMailsDeferred")),
    (refused_mails, ("RolecallMailsBounce",)),
    (
        no_internet,
        ("RolecallWebhooksUnanswered", "RolecallStreamsUnanswered", "RolecallStreamsBehind"),
    ),
    (a_silent_receiver, ("RolecallWebhooksOverdue",)),
    (a_consumer_that_is_gone, ("RolecallJournalHeld",)),
    (a_sealer_that_is_gone, ("RolecallRecordsUnsealed",)),
    (a_file_that_cannot_be_read, ("RolecallCheckpointFilesUnusable",)),
    (an_altered_tree, ("RolecallTreesInconsistent",)),
    (a_full_disk_of_the_broker, ("RolecallBrokerAlarm",)),
    (a_queue_without_its_service, ("RolecallQueuesGrow",)),
    (a_service_without_its_past, ("RolecallFactsMissed",)),
)
