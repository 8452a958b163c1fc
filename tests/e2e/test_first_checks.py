"""The first check after an answer that names something new is right on each replica of authz.

The bus delivers nothing here, so a replica that is right has been waited for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from services.identity.routes import INTERNAL_ROUTES as IDENTITY_INSIDE
from services.identity.routes import ROUTES as IDENTITY
from services.team.routes import ROUTES as TEAM
from shared.http.access import Admin
from shared.links import Link
from tests.e2e.people import PASSWORD, Answer, Person, Platform
from tests.e2e.several_replicas import SeveralReplicas, several_replicas
from tests.patience import PATIENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LONG = replace(PATIENT, personal_account_everywhere=60)
"""A slow machine does not end a bounded wait."""

NAMES_NOTHING_NEW = {
    "signUp": "without an invitation the answer names no account; with one it is a row below",
    "resendVerification": "the answer names nothing",
    "forgotPassword": "the answer names nothing",
    "resetPassword": "it ends sessions and starts none",
    "changePassword": "it ends sessions and starts none",
    "changeEmail": "the answer names nothing",
    "confirmEmail": "it ends sessions and starts none",
    "undoEmailChange": "it ends sessions and starts none",
    "takeFactorBack": "it ends sessions and starts none",
    "lookUpLink": "it changes nothing",
    "lookUpNewEmail": "it changes nothing",
    "refreshToken": "the session was there before",
    "logOut": "it ends a session",
    "stepUp": "the session was there before",
    "beginTotp": "authz decides nothing from an app without its first code",
    "confirmTotp": "tests/e2e/test_credential_endings.py asks about factors on each replica",
    "replaceRecoveryCodes": "authz decides nothing from recovery codes",
    "beginPasskeySignIn": "nothing changes until the passkey has answered",
    "finishPasskeySignIn": "authz decides nothing from how a session began",
    "beginPasskey": "nothing changes until the passkey has answered",
    "addPasskey": "tests/e2e/test_credential_endings.py asks about factors on each replica",
    "renamePasskey": "authz decides nothing from a name",
    "switchAccount": "authz was asked about the account",
    "getToken": "the service client was there before",
    "introspectToken": "it changes nothing",
    "revokeToken": "it ends what a token stands for",
    "inviteMember": "authz decides nothing from an invitation",
    "resendInvitation": "authz decides nothing from an invitation",
    "lookUpInvitation": "it shows an invitation",
    "declineInvitation": "it ends an invitation",
    "leaveAccount": "it ends a membership",
    "suspendMember": "it takes all access",
    "createApiToken": "tests/e2e/test_api_tokens.py asks about it on each replica",
    "revertAccount": "it ends memberships",
    "restoreAccount": "the account and its members were there before",
    "createGuardrail": "authz decides nothing from a guardrail",
    "previewChange": "it changes nothing",
    "planPolicy": "it changes nothing",
    "applyPolicy": "each of its changes is one that another row makes",
    "changeAccount": "tests/e2e/test_credential_endings.py asks about factors on each replica",
    "renameProject": "authz decides nothing from a name",
    "updateMe": "authz decides nothing from a name",
    "offerOwnership": "nothing changes until it is accepted",
    "declineOwnership": "nothing changes",
    "beginSsoSignIn": "nothing changes until the issuer has answered",
    "continueSsoSignIn": "it goes on where `finishSsoSignIn` asked for a code",
    "finishSsoSignIn": "it makes the account of a new user as `verifyEmail` does, which is below",
    "beginIdentityLink": "nothing changes until the issuer has answered",
    "createAccountConnection": "authz decides nothing from a connection",
    "changeAccountConnection": "authz decides nothing from a connection",
    "proveConnectionDomain": "authz decides nothing from a domain",
    "linkIdentity": "authz decides nothing from an identity",
    "findUser": "it shows a user",
    "disableUser": "it ends sessions",
    "enableUser": "tests/e2e/test_credential_endings.py asks about the user on each replica",
    "resetSecondFactors": "it takes factors away",
    "eraseUser": "it ends a user",
    "unlockUser": "authz decides nothing from failed attempts",
    "rotateSigningKeys": "the key was published long before it signs",
    "revokeSigningKeys": "it ends tokens; a replica that does not know a key asks for it",
    "rotateClientSecret": "the service client was there before",
    "disableServiceClient": "it ends a service client",
    "enableServiceClient": "tests/e2e/test_credential_endings.py asks each replica with its token",
    "provisionUsers": "a new user has no session, and is a member of nothing",
}


@dataclass
class World:
    """The services, and the people of one journey."""

    run: SeveralReplicas
    platform: Platform
    ada: Person
    bea: Person
    project: str = ""
    role: str = ""

    async def invitation(self) -> dict[str, str]:
        """What the newest invitation of the account carries in its mail."""
        path = f"/v1/accounts/{self.ada.account_id}/invitations"
        [invitation] = (await self.ada.get(path))["items"]
        link = Link(invitation["id"], 1)
        links = self.run.invitation_links
        return {"token": links.token(link), "code": links.code(link)}


@dataclass(frozen=True)
class First:
    """The first check after the answer: the member, the permission, and the project."""

    answer: Answer
    user: Person
    permission: str = "account:view"
    project: str | None = None
    resource: str = "i-1"
    reason: str = "allowed"


async def verify(world: World) -> First:
    link = await world.run.mailed_link(world.ada)
    body = link | {"password": PASSWORD}
    answer = await world.ada.send("POST", "/v1/email/verify", body, base=world.run.identity)
    world.ada.signed_in(answer.expect(200))
    return First(answer, world.ada)


async def log_in(world: World) -> First:
    body = {"email": world.ada.email, "password": PASSWORD}
    answer = await world.ada.send("POST", "/v1/login", body, base=world.run.identity)
    world.ada.signed_in(answer.expect(200))
    return First(answer, world.ada)


async def convert(world: World) -> First:
    path = f"/v1/accounts/{world.ada.account_id}/convert"
    answer = await world.ada.send("POST", path, {"name": "Engines"})
    answer.expect(200)
    return First(answer, world.ada, "member:invite")


async def sign_up_by_invitation(world: World) -> First:
    body = {"email": world.bea.email, "role": "viewer"}
    path = f"/v1/accounts/{world.ada.account_id}/invitations"
    (await world.ada.send("POST", path, body)).expect(201)
    proof = await world.invitation()
    sign_up = {"name": "Bea", "password": PASSWORD, "invitation": proof}
    answer = await world.bea.send("POST", "/v1/signup", sign_up, base=world.run.identity)
    world.bea.signed_in(answer.expect(201))
    return First(answer, world.bea)


async def accept(world: World) -> First:
    answer = await world.bea.send("POST", "/v1/invitations/accept", await world.invitation())
    world.bea.account_id = answer.expect(200)["account_id"]
    return First(answer, world.bea)


async def create_project(world: World) -> First:
    path = f"/v1/accounts/{world.ada.account_id}/projects"
    answer = await world.ada.send("POST", path, {"name": "prod"})
    world.project = answer.expect(201)["id"]
    return First(answer, world.bea, "project:view", world.project)


async def set_override(world: World) -> First:
    path = f"/v1/accounts/{world.ada.account_id}/projects/{world.project}/overrides"
    body = {"grants": {"instance": {"write": "all"}}}
    answer = await world.ada.send("PUT", f"{path}/{world.bea.user_id}", body)
    answer.expect(200)
    return First(answer, world.bea, "instance:write", world.project)


async def change_role(world: World) -> First:
    path = f"/v1/accounts/{world.ada.account_id}/members/{world.bea.user_id}"
    answer = await world.ada.send("PATCH", path, {"role": "admin"})
    answer.expect(200)
    return First(answer, world.bea, "member:invite")


async def resume(world: World) -> First:
    path = f"/v1/accounts/{world.ada.account_id}/members/{world.bea.user_id}"
    (await world.ada.send("POST", f"{path}/suspend")).expect(200)
    answer = await world.ada.send("POST", f"{path}/resume")
    answer.expect(200)
    return First(answer, world.bea, "member:invite")


async def create_role(world: World) -> First:
    account = f"/v1/accounts/{world.ada.account_id}"
    body = {"name": "Night shift", "grants": {"account": {"view": "all"}, "job": {"view": "all"}}}
    made = await world.ada.send("POST", f"{account}/roles", body)
    world.role = made.expect(201)["id"]
    answer = await world.ada.send(
        "PATCH", f"{account}/members/{world.bea.user_id}", {"role": world.role}
    )
    answer.expect(200)
    return First(answer, world.bea, "job:view")


async def widen_role(world: World) -> First:
    path = f"/v1/accounts/{world.ada.account_id}/roles/{world.role}"
    body = {"grants": {"account": {"view": "all"}, "balance": {"view": "all"}}}
    answer = await world.ada.send("PATCH", path, body)
    answer.expect(200)
    return First(answer, world.bea, "balance:view")


async def move_to_catalog(world: World) -> First:
    path = f"/v1/accounts/{world.ada.account_id}/catalog"
    roles = {world.role: "developer", "basic": "developer", "admin": "admin"}
    mapping = {"roles": roles, "levels": {"instance:write": None}}
    answer = await world.ada.send("POST", path, {"catalog": "novita", "mapping": mapping})
    answer.expect(200)
    return First(answer, world.bea, "quote:write")


async def register(world: World) -> First:
    """The checks name no owner, and a basic member may change their own instances only."""
    account = f"/v1/accounts/{world.ada.account_id}"
    member = f"{account}/members/{world.bea.user_id}"
    (await world.ada.send("PATCH", member, {"role": "basic"})).expect(200)
    path = f"{account}/resources/instance/i-7"
    owned = {"owner_id": world.bea.user_id}
    answer = await world.platform.send("PUT", path, owned, base=world.run.team)
    answer.expect(200)
    return First(answer, world.bea, "instance:write", resource="i-7")


async def register_many(world: World) -> First:
    path = f"/v1/accounts/{world.ada.account_id}/resources"
    item = {"type": "instance", "id": "i-8", "owner_id": world.bea.user_id}
    answer = await world.platform.send("POST", path, {"resources": [item]}, base=world.run.team)
    [done] = answer.expect(200)["results"]
    assert done["status"] == "registered"
    return First(answer, world.bea, "instance:write", resource="i-8")


async def reassign(world: World) -> First:
    path = f"/v1/accounts/{world.ada.account_id}/resources/reassign"
    body = {"from_user_id": world.bea.user_id, "to_user_id": world.ada.user_id}
    answer = await world.ada.send("POST", path, body)
    assert answer.expect(200) == {"reassigned": 2, "remaining": 0}
    return First(answer, world.bea, "instance:write", resource="i-8", reason="not-owner")


async def accept_ownership(world: World) -> First:
    path = f"/v1/accounts/{world.ada.account_id}/ownership-transfer"
    (await world.ada.send("POST", path, {"user_id": world.bea.user_id})).expect(201)
    answer = await world.bea.send("POST", f"{path}/accept")
    answer.expect(200)
    return First(answer, world.bea, "member:remove")


async def create_account(world: World) -> First:
    answer = await world.ada.send("POST", "/v1/accounts", {"name": "Motors"})
    made = answer.expect(201)["id"]
    return First(answer, replace(world.ada, account_id=made), "member:invite")


async def provision_members(world: World) -> First:
    user = {"external_id": "cy", "email": "cy@example.com", "name": "Cy", "email_verified": True}
    users = await world.platform.send(
        "POST", "/v1/provisioning/users", {"users": [user]}, base=world.run.identity
    )
    [made] = users.expect(200)["results"]
    cy = replace(world.ada, user_id=made["user_id"])
    path = f"/v1/accounts/{world.ada.account_id}/provisioning/members"
    member = {"external_id": "cy", "role": "admin"}
    answer = await world.platform.send("POST", path, {"members": [member]}, base=world.run.team)
    [done] = answer.expect(200)["results"]
    assert done["status"] == "added"
    return First(answer, cy, "instance:write")


STEPS: dict[str, Callable[[World], Awaitable[First]]] = {
    "verifyEmail": verify,
    "logIn": log_in,
    "convertAccount": convert,
    "signUp": sign_up_by_invitation,
    "acceptInvitation": accept,
    "createProject": create_project,
    "setOverride": set_override,
    "changeMember": change_role,
    "resumeMember": resume,
    "createRole": create_role,
    "changeRole": widen_role,
    "registerResource": register,
    "registerResources": register_many,
    "reassignResources": reassign,
    "provisionMembers": provision_members,
    "createAccount": create_account,
    "moveToCatalog": move_to_catalog,
    "acceptOwnership": accept_ownership,
}
"""The routes whose answer names something new, in the order of one journey."""


def test_each_route_that_changes_something_has_a_row() -> None:
    operator = [route for route in IDENTITY_INSIDE if isinstance(route.access, Admin)]
    creating = {
        route.operation_id
        for route in (*IDENTITY, *TEAM, *operator)
        if route.method in {"POST", "PUT", "PATCH"}
    }
    assert creating == STEPS.keys() | NAMES_NOTHING_NEW.keys() | {"createServiceClient"}


async def test_the_first_check_after_each_creating_answer_is_right(
    mongo_url: str, database_name: str
) -> None:
    async with several_replicas(mongo_url, database_name, timeouts=LONG) as run:
        # The first question of a new service client is a row of its own: 401 would be wrong.
        world = World(run, await run.make_client(), run.person("Ada"), run.person("Bea"))
        found, right = {}, {}
        for operation, step in STEPS.items():
            first = await step(world)
            found[operation] = [await reason(world, first, base) for base in run.authz]
            right[operation] = [first.reason] * len(run.authz)
        assert found == right


async def reason(world: World, first: First, base: str) -> Any:
    """Ask one replica, and give the reason of its decision."""
    answer = await world.platform.ask(
        first.user.user_id,
        first.permission,
        account=first.user.account_id,
        project=first.project,
        resource_id=first.project or first.resource,
        base=base,
    )
    return answer.expect(200)["context"]["reason"]
