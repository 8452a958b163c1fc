"""The MongoDB collections of identity, the only place of identity that knows MongoDB.

Ids and addresses arrive as checked strings and stand in filters as bare values, so no input can
become an operator (`T21`). A method's `session` is the transaction that the call belongs to.
"""

from services.identity.store.account_connections import AccountConnectionRows
from services.identity.store.api_tokens import ApiTokenRows
from services.identity.store.decoys import WRITES_OF_A_FACT, DecoyRows
from services.identity.store.factors import FactorRows
from services.identity.store.farewells import FarewellRows
from services.identity.store.identities import IdentityRows
from services.identity.store.provisioning import ExternalIdRows
from services.identity.store.rate_limits import RateLimitRows
from services.identity.store.revoked_tokens import RevokedTokenRows
from services.identity.store.service_clients import ServiceClientRows
from services.identity.store.sessions import SessionRows
from services.identity.store.sign_ups import SignUpRows
from services.identity.store.signing_keys import SigningKeyRows
from services.identity.store.snapshot import SignInSnapshot
from services.identity.store.users import UserRows
from shared.mongo import Database

__all__ = ["WRITES_OF_A_FACT", "SignInSnapshot", "Store"]


class Store(
    UserRows,
    SignUpRows,
    SessionRows,
    FactorRows,
    ApiTokenRows,
    ServiceClientRows,
    RevokedTokenRows,
    SigningKeyRows,
    RateLimitRows,
    DecoyRows,
    ExternalIdRows,
    IdentityRows,
    AccountConnectionRows,
    FarewellRows,
):
    """Every collection of identity."""

    def __init__(self, database: Database) -> None:
        UserRows.__init__(self, database)
        SignUpRows.__init__(self, database)
        SessionRows.__init__(self, database)
        FactorRows.__init__(self, database)
        ApiTokenRows.__init__(self, database)
        ServiceClientRows.__init__(self, database)
        RevokedTokenRows.__init__(self, database)
        SigningKeyRows.__init__(self, database)
        RateLimitRows.__init__(self, database)
        DecoyRows.__init__(self, database)
        ExternalIdRows.__init__(self, database)
        IdentityRows.__init__(self, database)
        AccountConnectionRows.__init__(self, database)
        FarewellRows.__init__(self, database)
