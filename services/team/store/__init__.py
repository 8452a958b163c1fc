"""Where does what team knows stand in MongoDB?"""

from services.team.store.accounts import AccountRows
from services.team.store.catalogs import CatalogRows, catalog_object
from services.team.store.invitations import InvitationRows
from services.team.store.projects import ProjectRows
from services.team.store.sessions import EndedSessionRows
from services.team.store.snapshot import Snapshot
from shared.mongo import Database

__all__ = ["Snapshot", "Store", "catalog_object"]


class Store(AccountRows, InvitationRows, ProjectRows, CatalogRows, EndedSessionRows):
    """Every collection of team; a method names the account or is about a user, token or session."""

    def __init__(self, database: Database) -> None:
        AccountRows.__init__(self, database)
        InvitationRows.__init__(self, database)
        ProjectRows.__init__(self, database)
        CatalogRows.__init__(self, database)
        EndedSessionRows.__init__(self, database)
