"""The process of identity: `python -m services.identity`."""

from services.identity.app import build
from services.identity.settings import Settings
from shared.runtime.service import main

main(build, Settings)
