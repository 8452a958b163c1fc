"""Print a new pair of Ed25519 keys, in the form that the services read.

The private key is for `INTERNAL_KEY` or `JOURNAL_KEY` of one service, the public key for
`INTERNAL_KEYS` or `JOURNAL_KEYS` of every service.
"""

import argparse
import sys

from shared.auth.keys import generate_key, private_text, public_text


def main() -> None:
    """Print both keys."""
    argparse.ArgumentParser(
        prog="python -m deploy.keys",
        description="Print a new pair of keys: the private one for INTERNAL_KEY or JOURNAL_KEY,"
        " the public one for INTERNAL_KEYS or JOURNAL_KEYS.",
    ).parse_args()
    key = generate_key()
    sys.stdout.write(f"private {private_text(key)}\npublic {public_text(key.public_key())}\n")


if __name__ == "__main__":
    main()
