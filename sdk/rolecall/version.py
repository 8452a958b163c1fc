"""The version of Rolecall."""

VERSION = "0.1.0"
"""That of `sdk/pyproject.toml`. The images have the package without its metadata."""
