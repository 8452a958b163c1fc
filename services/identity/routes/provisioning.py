"""The route by which a service client of the platform provisions users."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from services.identity.domain.provisioning import USERS_PER_BATCH, ClientBound, UserEntry
from services.identity.routes.fields import Text
from services.identity.use_cases import provisioning
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.provisioning import UserResult
from shared.http.access import Client
from shared.http.entry_refusals import EntryRefused, entry_refused
from shared.http.provisioning import BATCH_BODY_BYTES, PROVISION_SCOPE, ExternalId
from shared.http.routes import Answer, Body, Call, Route


class UserToProvision(Body):
    """One user, by the id that the platform knows them by.

    `email_verified` says that the platform has checked that the address is the user's. Only then a
    password is imported: a hash of argon2id or bcrypt, which is replaced at the first sign-in.
    """

    external_id: ExternalId
    email: Text
    name: Text
    email_verified: bool
    password_hash: Text | None = None


class ProvisionUsers(Body):
    """The users, and whether it is only tried; a dry run changes nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "users": [
                        {
                            "external_id": "7f3a",
                            "email": "ana@example.com",
                            "name": "Ana Diaz",
                            "email_verified": True,
                        }
                    ]
                }
            ]
        }
    )

    users: Annotated[tuple[UserToProvision, ...], Field(min_length=1, max_length=USERS_PER_BATCH)]
    dry_run: bool = False


class ProvisionedUserView(Answer):
    """What became of one user.

    `created`: there is a new user. `linked`: the address has a user, who is known by the external
    id now; nothing else about them changes. `updated`, `unchanged`: the user was provisioned
    before. `ignored` are the fields that do not count for this user. With `refused` nothing
    changed. `not_done`: the time of the request was over before, or the database did not answer for
    this user, who is to be sent again. `user_id` is null then, and where a dry run would make a
    user.
    """

    external_id: str
    status: Literal["created", "updated", "linked", "unchanged", "refused", "not_done"]
    user_id: str | None
    ignored: list[str]
    refusal: EntryRefused | None = None


class ProvisionedUsers(Answer):
    """A result for each user, in the order of the request."""

    dry_run: bool
    results: list[ProvisionedUserView]


async def provision(ctx: Ctx, call: Call[ProvisionUsers, None]) -> ProvisionedUsers:
    """Make, link or update the users of the request."""
    entries = [
        UserEntry(
            external_id=one.external_id,
            email=one.email,
            name=one.name,
            email_verified=one.email_verified,
            password_hash=one.password_hash,
        )
        for one in call.body.users
    ]
    results = await provisioning.provision(
        ctx, call.caller, call.client, entries, dry_run=call.body.dry_run
    )
    return ProvisionedUsers(dry_run=call.body.dry_run, results=[_view(one) for one in results])


def _view(result: UserResult) -> ProvisionedUserView:
    return ProvisionedUserView(
        external_id=result.external_id,
        status="refused" if result.status is None else result.status.value,
        user_id=result.user_id,
        ignored=list(result.ignored),
        refusal=None if result.refusal is None else entry_refused(result.refusal),
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/provisioning/users",
        handler=provision,
        operation_id="provisionUsers",
        summary="Make and link users by the platform's ids",
        tag="provisioning",
        access=Client(PROVISION_SCOPE),
        takes=ProvisionUsers,
        gives=ProvisionedUsers,
        refuses=(ClientBound,),
        body_cap=BATCH_BODY_BYTES,
        on_repeat="Finds every user by the external id, and changes nothing more.",
    ),
)
