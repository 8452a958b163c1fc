"""The suites of the bus and the database, run on the servers of the composition."""

import os
import subprocess
import sys
from contextlib import contextmanager

import aio_pika
import pytest
import yaml
from testcontainers.core.container import DockerContainer

from deploy.compose import ROOT
from deploy.mongo import initiate
from tests.servers import AMQP_VARIABLE, MONGO_VARIABLE
from tests.waiting import wait_for

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

ON_THE_DATABASE = (
    "tests/store/test_transactions.py",
    "tests/store/test_documents.py",
    "tests/store/test_sequences.py",
    "tests/services/team/test_races.py",
)
ON_THE_BROKER = ("tests/shared/bus/test_contract.py",)


FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def image_of(service, variable):
    """The image of the composition, which a variable replaces."""
    default = FILE["services"][service]["image"].removeprefix(f"${{{variable}:-").removesuffix("}")
    return os.environ.get(variable, default)


@contextmanager
def running(container, port):
    """Run a container and give the address of one of its ports."""
    with container.with_exposed_ports(port) as started:
        yield f"{started.get_container_host_ip()}:{started.get_exposed_port(port)}"


@pytest.fixture(scope="module")
def mongo_url(engine):
    del engine
    image = image_of("mongo", "MONGO_IMAGE")
    container = DockerContainer(image).with_command("mongod --replSet rs0 --bind_ip_all")
    with running(container, 27017) as address:
        url = f"mongodb://{address}/?directConnection=true"
        initiate(url, host="127.0.0.1:27017")
        yield url


@pytest.fixture(scope="module")
def amqp_url(engine):
    del engine
    image = image_of("rabbitmq", "RABBITMQ_IMAGE")
    container = (
        DockerContainer(image)
        .with_env("RABBITMQ_DEFAULT_USER", "rolecall")
        .with_env("RABBITMQ_DEFAULT_PASS", "of-this-test")
    )
    with running(container, 5672) as address:
        yield f"amqp://rolecall:of-this-test@{address}/"


async def answers(url):
    """Whether the broker accepts a connection."""
    try:
        connection = await aio_pika.connect(url, timeout=5)
    except OSError:
        return False
    await connection.close()
    return True


def assert_passes(suite, **variables):
    """Run these tests against the servers at the given addresses."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suite],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:]


def test_the_database_has_every_property_that_the_stores_need(mongo_url):
    assert_passes(ON_THE_DATABASE, **{MONGO_VARIABLE: mongo_url})


async def test_the_broker_has_every_property_that_the_bus_needs(amqp_url):
    await wait_for(lambda: answers(amqp_url), within=90, what="RabbitMQ")
    assert_passes(ON_THE_BROKER, **{AMQP_VARIABLE: amqp_url})
