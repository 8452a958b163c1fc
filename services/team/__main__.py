"""Run team as a process."""

from services.team.app import build
from services.team.settings import Settings
from shared.runtime.service import main

if __name__ == "__main__":
    main(build, Settings)
