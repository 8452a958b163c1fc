"""The command `make demo` beside a product that is not there, and one that has its team."""

import json

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from deploy.demo.__main__ import BEGUN, NO_ANSWER, NOT_RUNNING, DemoClient, DemoError, fill, main
from deploy.demo.team import SEARCHES, TEAM
from deploy.programs.program import free_port


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The data folder that the command reads."""
    monkeypatch.setenv("ROLECALL_DATA_DIR", str(tmp_path))
    return tmp_path


def test_the_demo_says_how_to_start_the_product(folder, capsys):
    assert main([]) == 1
    assert capsys.readouterr().err == f"{NOT_RUNNING}\n"


def test_the_demo_says_where_the_product_does_not_answer(folder, capsys):
    gateway = f"http://127.0.0.1:{free_port()}"
    (folder / "run.json").write_text(json.dumps({"gateway": gateway, "mail": gateway}))
    assert main([]) == 1
    assert capsys.readouterr().err == NO_ANSWER.format(gateway=gateway) + "\n"


def product_with(searches):
    """A product whose owner can sign in, with these saved searches in the team."""
    app = web.Application()

    def answer(body):
        async def give(request):
            return web.json_response(body)

        return give

    app.router.add_post("/v1/login", answer({"access_token": "a"}))
    app.router.add_get("/v1/accounts", answer({"items": [{"id": "acc_1", "name": TEAM}]}))
    listed = {"items": [{"name": name} for name in searches]}
    app.router.add_get("/v1/accounts/acc_1/audit-searches", answer(listed))
    return TestServer(app)


async def test_a_demo_that_is_there_is_not_made_again():
    async with product_with(SEARCHES) as server:
        assert await fill({"gateway": str(server.make_url("")).rstrip("/")}) is False


async def test_a_demo_that_ended_in_the_middle_says_so():
    async with product_with([]) as server:
        with pytest.raises(DemoError, match="ended in the middle") as told:
            await fill({"gateway": str(server.make_url("")).rstrip("/")})
        assert str(told.value) == BEGUN


async def test_the_demo_asks_a_busy_product_again_with_the_same_key():
    keys = []
    answers = iter((503, 429, 200))

    async def give(request):
        keys.append(request.headers["Idempotency-Key"])
        status = next(answers)
        return web.json_response({"made": status}, status=status, headers={"Retry-After": "0"})

    async def refuse(request):
        keys.append("refused")
        return web.json_response({}, status=503)

    app = web.Application()
    app.router.add_post("/v1/thing", give)
    app.router.add_post("/v1/other", refuse)
    async with TestServer(app) as server, ClientSession() as http:
        client = DemoClient(http, {"gateway": str(server.make_url("")).rstrip("/")})
        assert await client.ask("POST", "/v1/thing", {}) == {"made": 200}
        assert len(keys) == 3
        assert len({*keys}) == 1
        with pytest.raises(DemoError, match="503"):
            await client.ask("POST", "/v1/other", {})
        assert keys.count("refused") == 1
