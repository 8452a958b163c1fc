"""Run notification as a process of its own."""

from services.notification.app import build
from services.notification.settings import Settings
from shared.runtime.service import main

main(build, Settings)
