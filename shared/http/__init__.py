"""The HTTP layer: ROUTES tables become public and internal interfaces, with their documents."""

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
from shared.http.checker import AuthzChecker, Checker
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
