"""The product with a signing key that the tests know: they sign bad tokens with it."""

import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.run import main
from services.identity.use_cases import signing_keys
from tests.servers import UNMEASURED

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

if __name__ == "__main__":
    os.environ.update(UNMEASURED)  # for the database; this process is measured already
    signing_keys.generate_key = lambda: KEY  # type: ignore[attr-defined]
    raise SystemExit(main([]))
