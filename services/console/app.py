"""The wiring of the console."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from services.console.adapters.api import PublicApi
from services.console.domain.sealing import Sealer
from services.console.routes import FEEDS, PAGES, STATES, design
from services.console.routes.browser_requests import PageContext
from services.console.routes.pages import add_pages
from services.console.settings import NAME, Settings
from shared.clock import Clock, SystemClock
from shared.http.api import Api
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    api_at: Callable[[str], PublicApi] = PublicApi,
) -> ServiceApp:
    """Wire the service without starting anything."""
    api = api_at((settings.api_url or settings.public_url).rstrip("/"))
    address = urlsplit(settings.public_url)
    rows = (*PAGES, *design.PAGES) if settings.design_page else PAGES
    ctx = PageContext(
        api=api,
        sealer=Sealer(settings.sealing_keys),
        clock=clock or SystemClock(),
        product=settings.product_name,
        origin=f"{address.scheme}://{address.netloc}",
    )
    return ServiceApp(
        NAME,
        public=Api(NAME, (), ctx),
        internal=Api(NAME, (), ctx),
        pages=partial(
            add_pages, rows=rows, live=(*FEEDS, *STATES), ctx=ctx, proxies=settings.proxies
        ),
        opens=(api.open,),
        closes=(api.close,),
        drains=(api.drain,),
        proxies=settings.proxies,
        timeouts=timeouts,
    )
