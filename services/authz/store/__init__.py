"""The policy state that a replica holds in memory."""
