"""The decision point: answers permission checks from memory, while its state is fresh."""
