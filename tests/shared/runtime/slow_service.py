"""A service with one slow route, which a SIGTERM must wait for."""

import asyncio
from typing import Any

from shared.bus import Bus
from shared.http.access import Public
from shared.http.api import Api
from shared.http.routes import Answer, Call, Route
from shared.mongo import DatabaseAway
from shared.runtime.service import ServiceApp, main
from shared.runtime.settings import StatelessSettings, settings_config
from shared.timeouts import Timeouts


class Settings(StatelessSettings):
    model_config = settings_config("slow")
    database_away: bool = False


class Done(Answer):
    done: bool = True


async def open_database() -> None:
    raise DatabaseAway("away")


async def slow(begun: asyncio.Event, call: Call[Any, Any]) -> Done:
    begun.set()
    await asyncio.sleep(1)
    return Done()


async def wait(begun: asyncio.Event, call: Call[Any, Any]) -> Done:
    await begun.wait()
    return Done()


def route(path: str, handler: Any) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        operation_id=handler.__name__,
        summary="Test",
        tag="test",
        access=Public(),
        gives=Done,
    )


def build(settings: Settings, *, bus: Bus) -> ServiceApp:
    begun = asyncio.Event()
    routes = [route("/slow", slow), route("/begun", wait)]
    return ServiceApp(
        "slow",
        public=Api("slow", routes, begun),
        internal=Api("slow", [], None),
        opens=(open_database,) if settings.database_away else (),
        timeouts=Timeouts(start=0.0),
    )


if __name__ == "__main__":
    main(build, Settings)
