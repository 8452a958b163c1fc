"""The use cases of identity: each loads, lets the domain decide, and saves with its facts."""
