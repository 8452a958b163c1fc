"""Which engine runs the containers, and what do we say when there is none?"""

import pytest
from testcontainers.core.docker_client import DockerClient

from deploy.compose import compose_command


@pytest.fixture(scope="session")
def engine():
    """A client of the engine; without one the tests fail and say what to do."""
    try:
        client = DockerClient().client
        client.ping()
    except Exception as error:  # noqa: BLE001 - whatever its library raises: there is no engine
        pytest.fail(
            f"No container engine answers: start Docker, or set DOCKER_HOST ({error}).",
            pytrace=False,
        )
    try:
        compose_command()
    except SystemExit as missing:
        pytest.fail(str(missing), pytrace=False)
    yield client
    client.close()
