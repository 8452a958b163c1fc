"""Ids of requests: their form, what they cost, and that they count nothing (`T9`)."""

import os
import time

import pytest

from shared.http.requests import own_id
from shared.ids import RequestIds, is_id

FIXED = 0xF << 76 | 0xF << 60
"""The digits of version and variant, of the 80 bits after the time."""


def test_an_id_of_a_request_is_a_uuid7_that_begins_with_its_time():
    before = time.time_ns() // 1_000_000
    made = RequestIds().new()
    assert is_id(made, "req")
    number = int(made.removeprefix("req_"), 16)
    assert before <= number >> 80 <= time.time_ns() // 1_000_000
    assert (number >> 76 & 0xF, number >> 62 & 0b11) == (7, 0b10)


def test_ids_of_requests_are_unique_among_services():
    services = [RequestIds() for _ in range(5)]
    made = [service.new()[-20:] for _ in range(2_000) for service in services]
    assert len(set(made)) == len(made), "also without the time"


@pytest.mark.rule("T9")
def test_an_id_of_a_request_does_not_show_how_many_others_there_were():
    ids = [int(own_id(None, trusted=False)[-20:], 16) for _ in range(1024)]
    for bit in range(80):
        if FIXED >> bit & 1:
            continue
        values = [one >> bit & 1 for one in ids]
        for lag in (1, 2, 4, 8, 16, 32, 64, 128, 256):
            changed = {one != later for one, later in zip(values, values[lag:], strict=False)}
            assert changed == {False, True}, f"bit {bit} follows the number of the request"


@pytest.mark.rule("T9")
def test_an_id_of_a_request_has_only_random_bits_after_its_time():
    drawn: list[str] = []

    def random_bytes(size: int) -> bytes:
        drawn.append(os.urandom(size).hex())
        return bytes.fromhex(drawn[-1])

    ids = RequestIds(random_bytes)
    ends = [ids.new()[-20:] for _ in range(1_000)]
    assert len(drawn) <= 4, "a request costs no system call"
    digits = {text[at : at + 18] for text in drawn for at in range(0, len(text), 18)}
    used = [end[1:4] + end[5:] for end in ends]
    assert len(set(used)) == 1_000
    assert set(used) <= digits
