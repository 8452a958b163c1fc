"""Users, their passwords and sessions, service clients, and the keys that sign access tokens."""
