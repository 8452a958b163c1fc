"""The product with a signing key that the tests know, and with patience.

The tests sign bad tokens with the key. A change is in force with its answer, however slow the
machine is, so no route answers 202.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.run import main
from services.identity.adapters import keyring
from tests.patience import PATIENT

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

if __name__ == "__main__":
    keyring.generate_key = lambda: KEY  # type: ignore[attr-defined]
    raise SystemExit(main([], timeouts=PATIENT))
