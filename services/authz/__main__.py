"""The process of authz: `python -m services.authz`."""

from services.authz.app import build
from services.authz.settings import Settings
from shared.runtime.service import main

main(build, Settings)
