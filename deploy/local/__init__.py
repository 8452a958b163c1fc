"""The whole product in one process, for a machine that has Python and nothing else."""
