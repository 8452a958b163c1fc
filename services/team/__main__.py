"""Run team as a process."""

import gc

gc.disable()  # until all is loaded: a fifth of the time of the imports

from services.team.app import build  # noqa: E402 - as above
from services.team.settings import Settings  # noqa: E402 - as above
from shared.runtime.service import main  # noqa: E402 - as above

if __name__ == "__main__":
    main(build, Settings)
