"""The outside world of the console: the public API."""
