"""The values in identity's database that are sealed, so that another key can seal them anew."""

from collections.abc import Sequence

from services.identity.adapters.sealing import FactorSealer
from shared.resealing import SealedField
from shared.sealed_secrets import SealedSecrets


def sealed_fields(sealer: FactorSealer, connections: SealedSecrets) -> Sequence[SealedField]:
    """The sealed fields of every collection.

    What a challenge or a cookie holds is not among them: it ends within minutes.
    """

    def totp(user_id: str, value: bytes) -> bytes | None:
        return sealer.reseal(value, bound_to=f"totp/{user_id}")

    def signing_key(kid: str, value: bytes) -> bytes | None:
        return sealer.reseal(value, bound_to=kid)  # sealed as `keyring.seal` does

    def client_secret(connection_id: str, value: bytes) -> bytes | None:
        return connections.reseal(value, about=connection_id)

    return (
        SealedField(collection="factors", path="totp.sealed", reseal=totp, sharded=True),
        SealedField(collection="factors", path="pending.sealed", reseal=totp, sharded=True),
        SealedField(collection="signing_keys", path="sealed", reseal=signing_key),
        SealedField(collection="sso_connections", path="sealed_secret", reseal=client_secret),
    )
