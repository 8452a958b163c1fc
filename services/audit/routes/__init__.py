"""The ROUTES tables of audit, for the public and the internal API."""

