"""Print a new pair of Ed25519 keys, in the form that the services read.

The private key is for `INTERNAL_KEY` or `JOURNAL_KEY` of one service, the public key for
`INTERNAL_KEYS` or `JOURNAL_KEYS` of every service.
"""

import sys

from shared.auth.keys import generate_key, private_text, public_text


def main() -> int:
    """Print both keys, and return an exit status."""
    key = generate_key()
    sys.stdout.write(f"private {private_text(key)}\npublic {public_text(key.public_key())}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
