"""Random passwords by user, kept in a file that only its owner can read."""

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.configuration import SecretsError
from deploy.private_files import read_own, write_private


def load_or_create(file: Path, users: Sequence[str]) -> Mapping[str, str]:
    """Read the password of each user from the file; add those that are missing.

    Raises:
        SecretsError: the file does not hold passwords.
        UnsafeFileError: the file may be under the control of another user.
    """
    kept: dict[str, str] = {}
    if file.exists():
        try:
            kept = dict(json.loads(read_own(file)))
        except (ValueError, TypeError):
            raise SecretsError(
                f"{file} is damaged. Restore it from a backup. Without one,"
                " docs/operations/rotation.md says how to give its users new passwords."
            ) from None
    passwords = generate(users) | kept
    if passwords != kept:
        write_private(file, json.dumps(passwords, indent=2) + "\n")
    return passwords


def derive(secret: str, users: Sequence[str]) -> dict[str, str]:
    """Make the password of each user from a secret: the same each time, and nothing to store.

    No user can compute the secret or another password from its own.
    """
    return {
        str(user): hmac.digest(secret.encode(), f"password of {user}".encode(), "sha256").hex()[:32]
        for user in users
    }


def generate(users: Sequence[str]) -> dict[str, str]:
    """Make a new password for each user; it can stand in an address as it is."""
    return {str(user): secrets.token_hex(24) for user in users}
