"""The replicas of authz that gateways ask, as the tests of authz have them."""

from tests.services.authz.conftest import world

__all__ = ["world"]
