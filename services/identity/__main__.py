"""The process of identity: `python -m services.identity`."""

import gc

gc.disable()  # until all is loaded: a fifth of the time of the imports

from services.identity.app import build  # noqa: E402 - as above
from services.identity.settings import Settings  # noqa: E402 - as above
from shared.runtime.service import main  # noqa: E402 - as above

main(build, Settings)
