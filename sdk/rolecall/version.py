"""The version of Rolecall."""

VERSION = "0.2.0.dev0"
"""That of `sdk/pyproject.toml`. The images have the package without its metadata."""
