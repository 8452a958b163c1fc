"""Run notification as a process of its own."""

import gc

gc.disable()  # until all is loaded: a fifth of the time of the imports

from services.notification.app import build  # noqa: E402 - as above
from services.notification.settings import Settings  # noqa: E402 - as above
from shared.runtime.service import main  # noqa: E402 - as above

main(build, Settings)
