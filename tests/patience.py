"""Timeouts for tests: long where only a slow machine makes a thing late."""

from shared.timeouts import Timeouts

PATIENT_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 45.0
"""How long a test waits for what happens at once, on the slowest machine. It is less than a minute:
what a loop finds once a minute does not pass for it."""

PATIENT = Timeouts(
    request=PATIENT_SECONDS,
    database=PATIENT_SECONDS,
    transaction=PATIENT_SECONDS,
    transaction_attempt=PATIENT_SECONDS,
    transaction_end=PATIENT_SECONDS,
    publish=PATIENT_SECONDS,
    handler_drain=PATIENT_SECONDS,
    shard_turn=PATIENT_SECONDS,
    policy=PATIENT_SECONDS,
    barrier=PATIENT_SECONDS,
    decide=PATIENT_SECONDS,
    internal_call=PATIENT_SECONDS,
    source_call=PATIENT_SECONDS,
    personal_account=PATIENT_SECONDS,
    provisioning=PATIENT_SECONDS,
)
"""A test of one limit replaces that limit: `replace(PATIENT, barrier=0.02)`."""
