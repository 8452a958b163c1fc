"""The container engine of these tests."""

import pytest
from testcontainers.core.docker_client import DockerClient

from deploy.compose_program import compose_command


@pytest.fixture(scope="session")
def engine():
    """A client of the engine; without an engine the tests fail and say what to do."""
    try:
        client = DockerClient().client
        client.ping()
    except Exception as error:  # noqa: BLE001 - every error of the library means that no engine answers
        pytest.fail(
            f"No container engine answers ({error}). Start Docker, or set DOCKER_HOST.",
            pytrace=False,
        )
    try:
        compose_command()
    except SystemExit as missing:
        pytest.fail(str(missing), pytrace=False)
    yield client
    client.close()
