"""A running `make run`: closed to other users, quiet when idle, and as the README describes it."""

import asyncio
import json
import re
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from shared.contracts.topology import Service
from tests.e2e.one_process import OneProcess
from tests.e2e.processes import ROOT

IDLE_SECONDS = 3.0
LOOKS = 5
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
JOURNEY = (ROOT / "README.md").read_text().split("## The journey\n")[1].split("\n## ")[0]


class TalkativeProduct(OneProcess):
    """The product with the level INFO, as an operator runs it."""

    def environment(self) -> Mapping[str, str]:
        """Add the level to the variables."""
        return {**super().environment(), "ROLECALL_LOG_LEVEL": "INFO"}

    @property
    def data(self) -> Path:
        """The folder that the README's commands read."""
        return self.folder / ".data"

    def run_file(self) -> Any:
        """The content of `run.json`."""
        return json.loads((self.data / "run.json").read_text())

    def lines(self) -> list[dict[str, Any]]:
        """The log so far."""
        written = self.log.read_text().splitlines()
        return [json.loads(line) for line in written if line.startswith("{")]

    def internal(self, service: str) -> str:
        """The internal address of a service, as it logged it."""
        [said] = [
            line
            for line in self.lines()
            if (line["service"], line["msg"]) == (service, "listening")
        ]
        address: str = said["addresses"]["internal"]
        return address


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TalkativeProduct]:
    made = TalkativeProduct(tmp_path_factory.mktemp("product"))
    made.data.mkdir(mode=0o755)
    (made.data / "client.json").touch(0o644)
    (made.data / "client.json").unlink()
    (made.data / "mail").mkdir(mode=0o755)
    (made.data / "mail" / "mails.jsonl").touch(0o644)
    made.start()
    yield made
    made.stop()


def test_the_log_of_an_idle_product_is_empty(product: TalkativeProduct) -> None:
    """Every fetch, lease and report of the services happens in this time.

    A line may still come from the start, or from a busy machine, but not each time.
    """
    said: list[list[dict[str, Any]]] = []
    while len(said) < LOOKS and [] not in said:
        before = product.lines()
        subprocess.run(["sleep", str(IDLE_SECONDS)], check=True)
        said.append([line for line in product.lines()[len(before) :] if line["level"] == "INFO"])
    assert [] in said, said


async def test_every_counter_is_exposed_with_zero_at_the_start(product: TalkativeProduct) -> None:
    """A rise that comes with the first sample is invisible to Prometheus."""
    async with aiohttp.request("GET", product.internal(Service.TEAM) + "/metrics") as answer:
        text = await answer.text()
    for sample in (
        'rolecall_http_requests_total{method="POST",route="/v1/login",service="identity",status="503"}',
        'rolecall_http_not_admitted_total{code="overloaded",lane="users",service="team"}',
        'rolecall_task_crashes_total{service="audit",task="inbox"}',
        'rolecall_inbox_put_aside_total{service="audit",source="team"}',
        'rolecall_rows_refused_total{channel="bus",reason="fork",service="authz",source="team"}',
        'rolecall_mails_withheld_total{kind="sign-up",reason="mailbox",service="identity"}',
        'rolecall_mails_withheld_total{kind="invitation",reason="allowance",service="team"}',
        'rolecall_checks_total{decision="deny",reason="user-disabled"}',
    ):
        assert f"{sample} 0.0\n" in text
    declared = set(re.findall(r"# TYPE (rolecall_\w+) counter", text))
    sampled = set(re.findall(r"^(rolecall_\w+_total)", text, re.MULTILINE))
    # Of no replica is another group: there is none to call.
    assert declared - {"rolecall_group_calls_total"} == sampled


def test_no_other_user_can_read_a_file_of_the_product(product: TalkativeProduct) -> None:
    # The README's own commands write here as well; the folder closes what they write.
    written = {product.data / name for name in ("ada.json", "bea.json", "new.json")}
    everything = {product.data, *product.data.rglob("*")} - written
    open_to_others = [path for path in everything if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert len(everything) > 20
    assert open_to_others == []


def test_the_secret_of_the_first_client_is_not_printed(product: TalkativeProduct) -> None:
    printed = product.log.read_text()
    assert product.run_file()["service_client"]["secret"] not in printed
    assert str(product.data / "run.json") in printed


def test_another_user_cannot_read_the_database(product: TalkativeProduct) -> None:
    url = f"mongodb://127.0.0.1:{product.database_port()}/?directConnection=true"
    with MongoClient[dict[str, Any]](url) as client, pytest.raises(OperationFailure, match="auth"):
        client.rolecall_identity.users.find_one()


async def test_another_user_can_neither_read_nor_send_mails(product: TalkativeProduct) -> None:
    page = product.run_file()["mail"]
    origin, _, key = page.rpartition("/")
    assert len(key) == 32
    async with aiohttp.ClientSession() as http:
        for path, status in (
            (f"/{key}/api/messages", 200),
            (f"/{key}", 200),
            ("/api/messages", 404),
            ("/", 404),
            (f"/{'0' * 32}/api/messages", 404),
        ):
            async with http.get(origin + path) as answer:
                assert answer.status == status, path


async def test_no_listener_answers_a_foreign_host(product: TalkativeProduct) -> None:
    run = product.run_file()
    async with aiohttp.ClientSession() as http:
        for url in (
            run["gateway"] + "/openapi.json",
            run["mail"] + "/api/messages",
            *(product.internal(service) + "/health/ready" for service in Service),
        ):
            async with http.get(url) as answer:
                assert answer.status == 200, url
            async with http.get(url, headers={"Host": "evil.example"}) as answer:
                assert answer.status == 421, url


async def test_the_address_of_the_gateway_leads_to_the_pages(
    product: TalkativeProduct,
) -> None:
    async with aiohttp.request("GET", product.run_file()["gateway"]) as answer:
        assert (answer.status, answer.url.path) == (200, "/sign-in")


@pytest.mark.parametrize(
    ("times", "codes", "decisions"),
    [
        (1, [], [True, False, True, False]),
        (
            2,
            ["already-a-team", "not-found", "not-found"],
            [True, False, True, False, True, False, False, False],
        ),
    ],
)
async def test_the_blocks_of_the_readme_can_be_pasted_once_and_twice(
    product: TalkativeProduct, times: int, codes: list[str], decisions: list[bool]
) -> None:
    """The second case finds the data of the first, or the other way round.

    A busy machine may answer 503, so the blocks have three attempts.
    """
    script = "".join(block * times for block in BLOCK.findall(JOURNEY))
    words = ["bash", "-e", "-u", "-c", script]
    for _ in range(3):
        ran = await asyncio.to_thread(
            subprocess.run, words, cwd=product.folder, capture_output=True, text=True, check=False
        )
        said = (
            re.findall(r'"code": ?"([^"]*)"', ran.stdout),
            [word == "true" for word in re.findall(r'"decision": ?(true|false)', ran.stdout)],
        )
        if said == (codes, decisions):
            break
    assert said == (codes, decisions)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "member.removed" in ran.stdout
