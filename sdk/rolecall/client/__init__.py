"""Clients of a running Rolecall."""
