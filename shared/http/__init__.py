"""How do rows of a ROUTES table become a public or internal HTTP interface?"""

from shared.http.access import (
    Access,
    Admin,
    Client,
    Internal,
    Permission,
    Public,
    Session,
    SessionOrClient,
)
from shared.http.api import Api
from shared.http.checker import AuthzChecker, Checker, CheckRequest, CheckResult
from shared.http.mounting import mount, public_paths
from shared.http.openapi import document
from shared.http.routes import Answer, Body, Call, Effect, Media, Reply, Route, Strictness

__all__ = [
    "Access",
    "Admin",
    "Answer",
    "Api",
    "AuthzChecker",
    "Body",
    "Call",
    "CheckRequest",
    "CheckResult",
    "Checker",
    "Client",
    "Effect",
    "Internal",
    "Media",
    "Permission",
    "Public",
    "Reply",
    "Route",
    "Session",
    "SessionOrClient",
    "Strictness",
    "document",
    "mount",
    "public_paths",
]
