"""The whole product in one process, for a machine that has only Python."""
