"""Tests of the register of resources: what is sent, and what counts as done."""

import pytest

from rolecall import Resource
from rolecall.aio import RequestRefusedError
from tests.sdk.faulty import client, faulty_rolecall

PATIENT = 30.0
PATH = "/v1/accounts/acc_1/resources/instance/i-1"
GONE = 404, {"code": "not-found"}


async def test_a_resource_of_an_account_that_is_missing_is_not_registered():
    async with faulty_rolecall() as server, client(server, timeout=PATIENT) as rc:
        server.answers[PATH] = GONE
        with pytest.raises(RequestRefusedError):
            await rc.register("acc_1", "instance", Resource("i-1"))
        assert await rc.unregister("acc_1", "instance", "i-1") is None, "it is gone already"


async def test_an_id_with_slashes_is_one_segment_of_the_path():
    async with faulty_rolecall() as server, client(server, timeout=PATIENT) as rc:
        path = "/v1/accounts/acc_1/resources/instance/..%2F..%2Fmembers%2F%3F"
        server.answers[path] = 200, {}
        await rc.register("acc_1", "instance", Resource("../../members/?"))
        await rc.unregister("acc_1", "instance", "../../members/?")
        assert [(each.method, each.path) for each in server.asked if each.path == path] == [
            ("PUT", path),
            ("DELETE", path),
        ]
