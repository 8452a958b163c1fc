"""The use cases of authz: answer from memory, and only while its state is fresh."""
