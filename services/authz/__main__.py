"""The process of authz: `python -m services.authz`."""

import gc

gc.disable()  # until all is loaded: a fifth of the time of the imports

from services.authz.app import build  # noqa: E402 - as above
from services.authz.settings import Settings  # noqa: E402 - as above
from shared.runtime.service import main  # noqa: E402 - as above

main(build, Settings)
