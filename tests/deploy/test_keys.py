"""The command that makes a pair of keys, and the key that operators type."""

import string
import subprocess
import sys

from deploy.configuration import Secrets
from rolecall.client.jwk import read_public
from shared.auth.keys import public_text, read_private


def test_the_command_prints_a_pair_that_the_services_read():
    def pair() -> dict[str, str]:
        printed = subprocess.run(
            [sys.executable, "-m", "deploy.keys"], capture_output=True, text=True, check=True
        )
        return dict(line.split() for line in printed.stdout.splitlines())

    first, second = pair(), pair()
    assert list(first) == ["private", "public"]
    key = read_private(first["private"])
    assert public_text(key.public_key()) == first["public"]
    assert read_public(first["public"]) == key.public_key()
    assert first != second


def test_the_admin_key_is_never_an_option_of_a_command_line():
    assert set(Secrets.generate().admin_key) <= set(string.hexdigits)
