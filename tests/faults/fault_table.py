"""The faults F1 to F34: how each is caused, which tests prove the defence, what turns them red."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults import fault_injections as inject

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.faults.faulted_product import FaultedProduct

BUS = "tests/shared/bus/test_rabbitmq.py"
SMTP = "tests/services/notification/test_smtp.py"
MAILS = "tests/services/notification/test_delivery.py"
RELAY = "tests/shared/journal/test_relay.py"
BUS_RULES = "tests/shared/bus/test_contract.py"
FOLLOWING = "tests/services/authz/test_following.py"
JOURNAL = "tests/shared/journal/test_journal.py"
RACES = "tests/services/team/test_races.py"
SENDER = "tests/services/notification/test_sender.py"
PROCESS = "tests/shared/runtime/test_process.py"
LOOPS = "tests/shared/runtime/test_service.py"
GATEWAY = "tests/deploy/gateway/test_nginx.py"
CRASHES = (
    "tests/faults/test_crash_points.py",
    "tests/services/notification/test_sender_crashes.py",
    "tests/services/notification/test_digest_crashes.py",
    "tests/services/audit/test_sealer_crashes.py",
    "tests/services/audit/test_stream_crashes.py",
    "tests/services/audit/test_usage_crashes.py",
    "tests/shared/journal/test_trimmer_crashes.py",
)


@dataclass(frozen=True, kw_only=True)
class FaultRow:
    """One fault of the design."""

    id: str
    what: str
    live: Callable[[FaultedProduct], AbstractAsyncContextManager[None]] | None = None
    """The block that causes it in the running product."""
    tests: tuple[str, ...] = ()
    """The tests that prove the defence, as pytest names them."""
    switches: tuple[str, ...]
    """Defects of `tests/mutants`: with each of them a test fails."""
    needs: str = ""
    """What this project's own servers cannot show."""
    no_failures: bool = False
    """Whether clients need not notice it."""


FAULTS: tuple[FaultRow, ...] = (
    FaultRow(
        id="F1",
        what="RabbitMQ is down",
        live=inject.no_broker,
        tests=(
            f"{BUS}::test_a_service_recovers_when_the_broker_returns",
            f"{RELAY}::test_rows_committed_without_the_bus_are_swept_when_it_returns",
        ),
        switches=("crash-unsent-rows-stay",),
        no_failures=True,
    ),
    FaultRow(
        id="F2",
        what="RabbitMQ is killed and started several times",
        live=inject.broker_restarts,
        tests=(f"{BUS}::test_confirmed_messages_survive_the_broker_being_killed",),
        switches=("bus-messages-are-not-persistent",),
        no_failures=True,
    ),
    FaultRow(
        id="F3",
        what="Links to RabbitMQ are silent",
        live=inject.silent_broker,
        tests=(
            f"{BUS}::test_a_silent_partition_ends_publishes_and_shows_by_heartbeat",
            f"{BUS}::test_a_frozen_broker_is_noticed_before_its_heartbeat_is_missed",
        ),
        switches=("a-frozen-broker-counts-as-connected",),
        no_failures=True,
    ),
    FaultRow(
        id="F4",
        what="Confirmations of RabbitMQ are lost",
        live=inject.lost_confirmations,
        tests=(f"{BUS}::test_a_publish_whose_confirmation_was_lost_may_have_arrived",),
        switches=("crash-effect-repeated",),
        no_failures=True,
    ),
    FaultRow(
        id="F5",
        what="RabbitMQ is half a second slower",
        live=inject.slow_broker,
        tests=(f"{BUS}::test_a_slow_link_only_takes_longer",),
        switches=("a-slow-broker-counts-as-away",),
        no_failures=True,
    ),
    FaultRow(
        id="F6",
        what="Links to RabbitMQ break inside frames",
        live=inject.torn_frames,
        tests=(f"{BUS}::test_frames_torn_in_two_lose_nothing",),
        switches=("a-publish-over-a-torn-link-counts-as-confirmed",),
        no_failures=True,
    ),
    FaultRow(
        id="F7",
        what="RabbitMQ has an alarm and takes nothing",
        live=inject.full_broker,
        tests=(f"{BUS}::test_an_alarm_blocks_publishers_for_two_seconds_and_no_subscriber",),
        switches=("crash-unsent-rows-stay",),
        no_failures=True,
    ),
    FaultRow(
        id="F8",
        what="Queues are deleted",
        live=inject.deleted_queues,
        tests=(
            f"{BUS}::test_a_deleted_queue_is_declared_and_bound_again",
            f"{BUS}::test_a_message_is_noticed_when_every_queue_is_deleted",
        ),
        switches=("inbox-gap-counts-as-filled",),
        no_failures=True,
    ),
    FaultRow(
        id="F9",
        what="A message cannot be handled",
        tests=(f"{BUS_RULES}::test_a_poison_message_ends_as_a_dead_letter_while_others_flow",),
        switches=("a-poison-message-is-acknowledged",),
    ),
    FaultRow(
        id="F10",
        what="Messages are late, disordered and repeated",
        live=inject.disordered_messages,
        tests=(
            f"{FOLLOWING}::test_duplicates_and_disorder_on_the_bus_change_nothing",
            f"{MAILS}::test_each_fact_twice_and_out_of_order_sends_each_mail_once",
        ),
        switches=("crash-receipt-before-effect",),
        no_failures=True,
    ),
    FaultRow(
        id="F11",
        what="The database is down",
        live=inject.no_database,
        tests=("tests/faults/test_database_answers.py",),
        switches=("only-lost-connections-mean-that-the-database-is-away",),
    ),
    FaultRow(
        id="F12",
        what="The database is a second slower",
        live=inject.slow_database,
        tests=("tests/shared/test_mongo.py",),
        switches=("mongo-no-limit-after-the-end-of-a-block",),
    ),
    FaultRow(
        id="F13",
        what="The database has another primary",
        tests=("tests/shared/journal/test_majority_lag.py",),
        switches=("journal-barrier-not-after-the-commit",),
        needs="a real replica set; the tests have one in memory",
    ),
    FaultRow(
        id="F14",
        what="Answers of the database are lost",
        live=inject.lost_answers_of_the_database,
        tests=(f"{JOURNAL}::test_a_commit_whose_answer_was_lost_is_not_done_twice",),
        switches=("an-unanswered-commit-is-not-looked-up",),
    ),
    FaultRow(
        id="F15",
        what="Many writers change one account",
        tests=(
            f"{RACES}::test_thirty_two_writers_on_one_account_lose_nothing",
            f"{JOURNAL}::test_two_processes_with_eight_writers_make_one_gapless_sequence",
        ),
        switches=("a-conflict-of-two-writers-is-not-tried-again",),
    ),
    FaultRow(
        id="F16",
        what="The mail server is down",
        live=inject.no_mail_server,
        tests=(f"{SENDER}::test_a_mail_server_gets_every_mail_after_an_outage",),
        switches=("smtp-sign-in-refused-bounces",),
        no_failures=True,
    ),
    FaultRow(
        id="F17",
        what="The mail server refuses, for now or for good",
        tests=(
            f"{SMTP}::test_a_4xx_reply_defers_the_mail",
            f"{SMTP}::test_a_5xx_reply_rejects_the_mail",
            f"{MAILS}::test_a_deferred_mail_is_tried_after_1_5_15_and_60_minutes",
            f"{MAILS}::test_a_rejected_mail_bounces_after_one_attempt_with_a_fact",
        ),
        switches=("smtp-sender-refused-bounces",),
    ),
    FaultRow(
        id="F18",
        what="The mail server is slow, and drops mails it has",
        live=inject.dropping_mail_server,
        tests=(
            f"{MAILS}::test_a_drop_after_the_data_repeats_the_mail_with_the_same_id",
            f"{SMTP}::test_a_server_that_falls_silent_is_waited_for_only_so_long",
        ),
        switches=("smtp-reply-awaited-without-end",),
        no_failures=True,
    ),
    FaultRow(
        id="F19",
        what="A replica of authz starts without team",
        live=inject.cold_replica,
        tests=(f"{FOLLOWING}::test_a_replica_that_has_not_loaded_refuses_connections",),
        switches=("authz-answers-without-testing-its-leases",),
    ),
    FaultRow(
        id="F20",
        what="A replica of authz misses messages",
        live=inject.deaf_replica,
        tests=(f"{FOLLOWING}::test_rows_that_the_bus_lost_are_found_by_the_heads",),
        switches=("view-hides-a-gap-below-a-head",),
        no_failures=True,
    ),
    FaultRow(
        id="F21",
        what="A replica of authz pauses",
        live=inject.paused_replica,
        tests=("tests/faults/test_removals.py",),
        switches=("barrier-without-margin",),
    ),
    FaultRow(
        id="F22",
        what="All replicas of authz are down",
        live=inject.no_decisions,
        switches=("a-failure-of-authz-is-an-answer",),
    ),
    FaultRow(
        id="F23",
        what="The clock of a host is wrong",
        tests=("tests/shared/auth/test_access_tokens.py",),
        switches=("tokens-of-the-future-are-accepted",),
        needs="a host whose clock can be set; the tests hand a clock in",
    ),
    FaultRow(
        id="F24",
        what="A machine is paused",
        live=inject.paused_replica,
        tests=("tests/shared/following/test_journal_view.py",),
        switches=("lease-lasts-as-long-as-its-ttl",),
        needs="a time namespace for another rate of the clock",
    ),
    FaultRow(
        id="F25",
        what="The files of the database cannot grow",
        live=inject.database_without_room,
        tests=("tests/shared/test_mongo.py",),
        switches=("mongo-full-disk-is-an-answer",),
    ),
    FaultRow(
        id="F26",
        what="The disk of RabbitMQ is full: its alarm, as F7",
        live=inject.full_broker,
        switches=("crash-unsent-rows-stay",),
        no_failures=True,
    ),
    FaultRow(
        id="F27",
        what="Each process is killed at random",
        tests=("tests/faults/test_kills.py",),
        switches=("crash-rows-outside-transaction",),
    ),
    FaultRow(
        id="F28",
        what="A process dies at each step from write to effect",
        tests=CRASHES,
        switches=("crash-rows-outside-transaction", "crash-receipt-before-effect"),
    ),
    FaultRow(
        id="F29",
        what="Every replica is restarted in order",
        live=inject.rolling_restarts,
        tests=(f"{PROCESS}::test_after_sigterm_requests_are_answered_until_the_next_signal",),
        switches=("service-ends-without-a-drain",),
        no_failures=True,
    ),
    FaultRow(
        id="F30",
        what="The gateway reads its configuration anew",
        live=inject.gateway_reloads,
        tests=(f"{GATEWAY}::test_a_reload_lets_the_requests_end_that_have_begun",),
        switches=("a-reload-of-the-gateway-cuts-requests-off",),
        no_failures=True,
    ),
    FaultRow(
        id="F31",
        what="A service has little memory",
        tests=("tests/deploy/test_composition_limits.py",),
        switches=("compose-broker-memory-unlimited",),
        needs="a limit of memory for a process (containers); the tests read the limits",
    ),
    FaultRow(
        id="F32",
        what="A replica of team may open few files",
        live=inject.few_files,
        tests=(f"{LOOPS}::test_a_loop_that_finds_no_free_file_is_started_again",),
        switches=("a-loop-without-a-free-file-is-given-up",),
    ),
    FaultRow(
        id="F33",
        what="All followers load their snapshots at once",
        live=inject.a_herd,
        tests=("tests/shared/following/test_reload_pause.py",),
        switches=("signed-rows-reload-pause-does-not-grow",),
    ),
    FaultRow(
        id="F34",
        what="audit stands still",
        live=inject.slow_audit,
        tests=("tests/services/audit/test_late_records.py",),
        switches=("seal-watch-sees-no-gaps",),
    ),
)
