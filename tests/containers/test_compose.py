"""The journey in containers, also while containers stop, restart and move."""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from collections import Counter
from dataclasses import replace

import aiohttp
import pytest
import yaml

from deploy.compose import CREATE_CLIENT_COMMAND, NGINX_IMAGE, ROOT, Compose
from deploy.programs.program import free_port
from tests.e2e import journey
from tests.e2e.journey import Deployment, World
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.containers,
    # The first run downloads the base images and builds the image of the services.
    pytest.mark.timeout(1800),
]
FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
REPLICAS = 3
SCALE = ("--scale", f"authz={REPLICAS}")
READY = "import urllib.request as u; u.urlopen('http://127.0.0.1:8081/health/ready', timeout=2)"


class Composition(Compose):
    """A composition for these tests only."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def result_of(self, *arguments):
        """The result of one command of compose."""
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def runs_in(self, service, *command, index=1):
        """Whether a command succeeds in a container."""
        said = self.result_of("exec", "-T", f"--index={index}", service, *command)
        return said.returncode == 0

    async def replicas_ready(self):
        """Wait until each replica of authz holds its leases; the gateway would need only one."""

        def ready():
            replicas = range(1, REPLICAS + 1)
            return all(self.runs_in("authz", "python", "-c", READY, index=n) for n in replicas)

        await wait_for(lambda: asyncio.to_thread(ready), within=120, what="every replica ready")


@pytest.fixture(scope="module")
def composition(engine, tmp_path_factory):
    del engine
    made = Composition(
        project=f"rolecall-test-{uuid.uuid4().hex[:8]}",
        folder=tmp_path_factory.mktemp("compose"),
        port=free_port(),
        mail_port=free_port(),
        nginx_image=os.environ.get("NGINX_IMAGE", NGINX_IMAGE),
    )
    try:
        if made.up(*SCALE) != 0:
            pytest.fail(made.result_of("logs", "--no-color", "--tail=40").stdout, pytrace=False)
        yield made
    finally:
        made.run("down", "--volumes", "--remove-orphans", "--timeout=5")


@pytest.fixture(scope="module")
def client(composition):
    """The first service client, created as an operator creates it."""
    said = composition.result_of("exec", "-T", "identity", *CREATE_CLIENT_COMMAND, "--json")
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


@pytest.fixture
async def world(composition, client):
    deployment = Deployment(
        gateway=composition.url,
        mail=f"http://127.0.0.1:{composition.mail_port}",
        client_id=client["id"],
        client_secret=client["secret"],
        # Replicas are reachable only through the gateway, which chooses one at random.
        authz=(composition.url,) * REPLICAS,
    )
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        world = World(deployment, http)
        await world.platform.sign_in(deployment.client_id, deployment.client_secret)
        await composition.replicas_ready()
        yield world


async def test_the_whole_journey_with_three_replicas_of_authz(world):
    team = await journey.gather_team(world, "standard")
    await journey.ask_by_the_table(world, team, "standard")
    await journey.change_and_remove(world, team)
    await journey.read_the_audit_log(world, team)


async def test_after_a_removal_no_replica_allows_the_member(world):
    team = await journey.gather_team(world, "standard")
    gone, account = team.mail.user_id, team.account_id
    assert await world.decision(gone, "instance:write", account=account) == "allowed"
    removed = await team.owner.send("DELETE", f"{team.path}/members/{gone}")
    removed.expect(204)
    answers = await asyncio.gather(
        *(world.decision(gone, "instance:write", account=account) for _ in range(60))
    )
    assert set(answers) == {"not-a-member"}
    receipt = await team.owner.get(f"{team.path}/revisions/{removed.headers['Rolecall-Revision']}")
    assert len(receipt["replicas"]) == REPLICAS


COMES_BACK = {
    "a service restarts": (("restart", "team"),),
    "the broker restarts": (("restart", "rabbitmq"),),
    "the database restarts": (("restart", "mongo"),),
    "services are recreated": (
        ("up", "-d", "--no-deps", "--force-recreate", *SCALE, "identity", "team", "authz"),
    ),
    # New containers take the free addresses.
    "a service gets another address": (
        ("stop", "team"),
        ("up", "-d", "--no-deps", "--no-recreate", "--scale", f"authz={REPLICAS + 2}", "authz"),
        ("start", "team"),
        ("up", "-d", "--no-deps", "--no-recreate", *SCALE, "authz"),
    ),
}


@pytest.mark.parametrize("commands", COMES_BACK.values(), ids=COMES_BACK.keys())
async def test_the_journey_goes_on_when_containers_come_back(composition, world, commands):
    team = await journey.gather_team(world, "standard")
    for command in commands:
        assert await asyncio.to_thread(composition.run, *command) == 0
    assert await asyncio.to_thread(composition.await_answers) == []
    await composition.replicas_ready()
    await journey.ask_by_the_table(world, team, "standard")
    await journey.change_and_remove(world, team)
    await journey.read_the_audit_log(world, team)


async def test_down_and_up_again_keep_everything(composition, world):
    person = world.person("Eve Staying")
    await person.sign_up()
    assert await asyncio.to_thread(composition.run, "down") == 0
    assert await asyncio.to_thread(composition.up, *SCALE) == 0
    await person.log_in()
    assert (await person.get("/v1/me"))["email"] == person.email


def test_every_container_runs_unprivileged_on_a_read_only_root(composition, engine):
    label = f"com.docker.compose.project={composition.project}"
    containers = engine.containers.list(filters={"label": label})
    running = Counter(each.labels["com.docker.compose.service"] for each in containers)
    ended = {"mongo-setup", *(name for name in FILE["services"] if name.startswith("migrate-"))}
    assert running == Counter(set(FILE["services"]) - ended) | {"authz": REPLICAS}
    published = set()
    for container in containers:
        ports = container.attrs["NetworkSettings"]["Ports"].values()
        published |= {(each["HostIp"], each["HostPort"]) for bound in ports for each in bound or ()}
        if container.labels["com.docker.compose.service"] not in {"rabbitmq", "mongo"}:
            assert container.attrs["Config"]["User"] == "10001:10001"
            assert container.attrs["HostConfig"]["ReadonlyRootfs"] is True
    expected = (composition.port, composition.mail_port)
    assert published == {("127.0.0.1", str(port)) for port in expected}


def test_a_service_can_write_only_temporary_files(composition):
    assert composition.runs_in("team", "touch", "/tmp/x")
    assert not composition.runs_in("team", "touch", "/app/x")


def test_checkpoints_are_written_apart_from_the_database(composition):
    assert composition.runs_in("audit", "touch", "/var/lib/rolecall/checkpoints/x")


def test_only_who_is_published_or_calls_strangers_has_a_route_outside(composition, engine):
    label = f"com.docker.compose.project={composition.project}"
    reaching_out = {
        container.labels["com.docker.compose.service"]
        for container in engine.containers.list(filters={"label": label})
        for network in container.attrs["NetworkSettings"]["Networks"]
        if not engine.networks.get(network).attrs["Internal"]
    }
    assert reaching_out == {"gateway", "mail", "notification", "identity"}


CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"
SERVERS = {"rabbitmq": 5672, "mongo": 27017}
REACHED = {
    "identity": {"rabbitmq", "mongo"},
    "notification": {"rabbitmq", "mongo"},
    "authz": {"rabbitmq"},
    "mail": set(),
}


@pytest.mark.parametrize("container", REACHED)
def test_a_container_reaches_only_the_servers_that_it_needs(composition, container):
    reached = {
        server
        for server, port in SERVERS.items()
        if composition.runs_in(container, "python", "-c", CONNECT, server, str(port))
    }
    assert reached == REACHED[container]


@pytest.mark.parametrize("server", SERVERS)
def test_the_gateway_does_not_know_the_address_of_a_server(composition, server):
    assert composition.runs_in("gateway", "getent", "hosts", "identity")
    assert not composition.runs_in("gateway", "getent", "hosts", server)


def test_the_broker_runs_without_plugins_and_without_guest(composition):
    users = composition.result_of("exec", "-T", "rabbitmq", "rabbitmqctl", "list_users")
    assert "guest" not in users.stdout
    assert "audit" in users.stdout
    command = ("rabbitmq-plugins", "--silent", "list", "--enabled", "--minimal")
    plugins = composition.result_of("exec", "-T", "rabbitmq", *command)
    assert (plugins.returncode, plugins.stdout.strip()) == (0, "")


async def test_nothing_internal_is_reached_through_the_gateway(composition):
    async with aiohttp.ClientSession(composition.url) as http:
        for path in ("/internal/heads", "/internal/admin/service-clients", "/metrics"):
            async with http.get(path, headers={"Authorization": "Bearer x"}) as response:
                assert response.status == 404
                assert response.content_type == "application/problem+json"


def test_a_rejected_configuration_is_reported_and_a_corrected_one_applied(composition):
    impatient = replace(composition, reload_seconds=0)
    file = composition.folder / "gateway" / "nginx.conf"
    good = file.read_text()
    file.write_text(f"nonsense;\n{good}")
    try:
        assert 'unknown directive "nonsense"' in impatient.reload_gateway()
    finally:
        file.write_text(good)
    assert impatient.reload_gateway() == ""


def test_without_an_engine_the_tests_fail_and_say_what_to_do():
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", __file__]
    chosen = ["-m", "containers", "-k", "nothing_internal"]
    variables = {**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:1"}
    run = subprocess.run(
        [*command, *chosen], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1, run.stdout
    assert "No container engine answers" in run.stdout
    assert "Start Docker, or set DOCKER_HOST." in run.stdout
    assert "skipped" not in run.stdout
