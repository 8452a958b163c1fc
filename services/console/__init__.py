"""The web console: pages for people, as a client of the public API."""
