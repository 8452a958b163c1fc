"""Plumbing that two services use: journal, inbox, bus, database, HTTP, tokens, logs."""
