"""Which catalogs an owner may choose for the account."""

from rolecall import AccountKind, CompiledCatalog, Conversion
from services.team.domain.accounts import Account
from services.team.domain.catalog_mapping import same_catalog
from shared.problems import Refusal, RefusalKind


class CatalogBound(Refusal):
    """A team that its catalog does not let revert would revert by way of another one (`Nv2`)."""

    kind = RefusalKind.CONFLICT
    code = "catalog-bound"
    detail = (
        "A team with the catalog {catalog} keeps it: by another one it could become a personal"
        " account again. Choose a version of the same catalog, or ask the platform to move it."
    )


def is_free_to_move(account: Account, old: CompiledCatalog, new: CompiledCatalog) -> bool:
    """Whether the owner may choose the catalog; the platform may choose any.

    An account that is a team for good, or for as long as it exists, keeps its catalog, in any
    version of it.
    """
    bound = old.catalog.policies.conversion is not Conversion.REVERSIBLE
    return not bound or account.kind is not AccountKind.TEAM or same_catalog(old, new)


def require_free_to_move(account: Account, old: CompiledCatalog, new: CompiledCatalog) -> None:
    """Check that the owner may choose the catalog.

    Raises:
        CatalogBound: the account keeps the catalog that it has.
    """
    if not is_free_to_move(account, old, new):
        raise CatalogBound(catalog=old.catalog.title)
