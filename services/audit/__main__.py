"""Run audit as a process of its own."""

from services.audit.app import build
from services.audit.settings import Settings
from shared.runtime.service import main

main(build, Settings)
