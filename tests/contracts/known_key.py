"""The product with a signing key that the tests know: they sign bad tokens with it."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.run import main
from services.identity.use_cases import signing_keys

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

if __name__ == "__main__":
    signing_keys.generate_key = lambda: KEY  # type: ignore[attr-defined]
    raise SystemExit(main([]))
