"""Servers that run as child processes, for `make run` and for the tests."""
