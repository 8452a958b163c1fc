"""The process around a service: settings, listeners, supervised tasks, health, start and stop."""
