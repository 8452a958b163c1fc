"""The use cases of team: load, decide, save with the facts."""
