"""Policy objects: the state that authz decides from.

A policy object carries its whole new state, never a difference. Applying it twice, or from a
snapshot and from a change, has the same result. `state: None` says that it was deleted.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field


class PolicyObjectKind(StrEnum):
    """The kinds of policy objects; those from `SESSION` on are identity's.

    A kind of a later version is read as its name: a row that names it is whole, and each reader
    leaves out what it does not know.
    """

    ACCOUNT = "account"
    MEMBER = "member"
    PROJECT = "project"
    OVERRIDE = "override"
    RESOURCE = "resource"
    CATALOG = "catalog"
    SESSION = "session"
    SERVICE_CLIENT = "service_client"
    API_TOKEN = "api_token"  # noqa: S105 - a kind
    ACCESS_TOKEN = "access_token"  # noqa: S105 - a kind
    SIGNING_KEY = "signing_key"
    DISABLED_USER = "disabled_user"
    SECOND_FACTOR = "second_factor"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        later = str.__new__(cls, value)
        later._name_ = later._value_ = value
        return later


class Contract(BaseModel):
    """What travels between services: immutable, and open to members that a later version adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PolicyObject(Contract):
    """One policy object: its kind, its id within the account, and its state.

    `rev` is the sequence, in the shard of its key, of the change that gave it this state; the
    journal sets it in changes, a snapshot row carries its own.
    """

    kind: PolicyObjectKind
    id: str
    account_id: str | None = None
    rev: int = 0
    state: dict[str, Any] | None


class RoleObject(Contract):
    """A role that an account has defined itself (`Ci8`).

    `grants` has the shape of a role's grants in a catalog file.
    """

    name: str
    description: str = ""
    grants: dict[str, Any]


class AccountObject(Contract):
    """`account`: id = the account's id; `roles` has its custom roles by id."""

    kind: Literal["personal", "team"]
    status: Literal["active", "suspended", "deleting"]
    owner_user_id: str
    catalog: str
    """`name@sha256` of a published catalog."""
    roles: dict[str, RoleObject] = {}
    require_second_factor: bool = False
    """Members without a second factor are denied everything."""


class MemberObject(Contract):
    """`member`: id = the user's id. The membership's own id is new at each join.

    Conditions on grants test `attributes`.
    """

    membership_id: str
    role: str
    status: Literal["active", "suspended"]
    expires_at: datetime | None = None
    attributes: dict[str, Any] = {}
    external_id: str | None = None
    """The platform's own id of the member, by which a check may name them."""


class ProjectObject(Contract):
    """`project`: id = the project's id."""

    name: str


class OverrideObject(Contract):
    """`override`: id = `<project id>/<user id>`; bound to the membership that it was given to.

    `grants` has the shape of a role's grants in a catalog file.
    """

    project_id: str
    user_id: str
    membership_id: str
    grants: dict[str, Any]
    expires_at: datetime | None = None


class ResourceObject(Contract):
    """`resource`: id = `<type>/<id>`. What is registered wins over what a check says."""

    type: str
    id: str
    project_id: str | None = None
    owner_id: str | None = None
    properties: dict[str, str | int | float | bool] = {}


class CatalogObject(Contract):
    """`catalog`: id = `name@sha256`; `content` is the catalog's mapping."""

    content: dict[str, Any]


class SessionObject(Contract):
    """`session`: id = the session's id; published when it ends, kept while a token may live."""

    user_id: str
    ended_at: datetime


class DisabledUserObject(Contract):
    """`disabled_user`: id = the user's id; deleted when the user is enabled."""

    disabled_at: datetime


class SecondFactorObject(Contract):
    """`second_factor`: id = the user's id; that it is there says that the user has one."""


class ServiceClientObject(Contract):
    """`service_client`: id = the client's id; `None` bounds nothing."""

    name: str
    scopes: tuple[str, ...]
    account_ids: tuple[str, ...] | None = None
    resource_types: tuple[str, ...] | None = None


class ApiTokenObject(Contract):
    """`api_token`: id = the token's id; deleted when it is revoked.

    `secret_hash` is the SHA-256 of the token, which begins with the digits of the id. `None` in
    `projects` or `grants` restricts nothing; `grants` has levels by entry.
    """

    secret_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    user_id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    account_id: Annotated[str, Field(pattern="^acc_[0-9a-f]{32}$")]
    membership_id: Annotated[str, Field(pattern="^mem_[0-9a-f]{32}$")]
    created_at: datetime
    expires_at: datetime
    projects: tuple[str, ...] | None = None
    grants: dict[str, tuple[str, ...]] | None = None
    read_only: bool = False


class AccessTokenObject(Contract):
    """`access_token`: id = the token's id; published when it is revoked before its end."""

    expires_at: datetime


class SigningKeyObject(Contract):
    """`signing_key`: id = the key's id; published when the key is revoked, and kept for good."""

    revoked_at: datetime
