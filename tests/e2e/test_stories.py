"""What the document of each provider describes, as a story on one running product."""

from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from tests.e2e.journey import World
from tests.e2e.one_process import OneProcess
from tests.e2e.stories import cloud_iam, novita, runos, runpod
from tests.e2e.stories.team import Team
from tests.support.sessions import http_session

pytestmark = pytest.mark.usefixtures("unmeasured")

STORIES = {
    "runpod": (runpod, "Rosa's Rendering"),
    "runos": (runos, "Olu's Operations"),
    "cloud-iam": (cloud_iam, "Carla's Cloud"),
    "novita": (novita, "Nia's Networks"),
}


@pytest.fixture(scope="module")
def product(unmeasured: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneProcess]:
    product = OneProcess(tmp_path_factory.mktemp("product"))
    try:
        product.start()
        yield product
    finally:
        product.stop()


@pytest.fixture
async def world(product: OneProcess) -> AsyncIterator[World]:
    deployment = product.deployment()
    async with http_session(seconds=30) as http:
        world = World(deployment, http)
        await world.platform.sign_in(deployment.client_id, deployment.client_secret)
        yield world


@pytest.mark.parametrize("catalog", STORIES)
async def test_the_story_of_each_provider_comes_true(
    product: OneProcess, world: World, catalog: str
) -> None:
    story, name = STORIES[catalog]
    database: AsyncMongoClient[Any] = AsyncMongoClient(product.database_url())
    async with database:
        team = Team(world, database, catalog, name)
        for step in story.STEPS:
            await step(team)


@pytest.mark.parametrize("story", [module for module, _ in STORIES.values()])
def test_every_step_with_a_rule_is_part_of_its_story(story: ModuleType) -> None:
    marked = {value for value in vars(story).values() if getattr(value, "pytestmark", None)}
    assert marked == set(story.STEPS)
    assert len(story.STEPS) == len(marked)
