"""A service of a cloud platform: an API for instances that Rolecall guards.

A check decides in the account of the path. So an instance is looked up in that account, too, never
by its id alone: an id of another account is not registered here, and the check would pass.
"""

import os
import uuid

from aiohttp import web

from rolecall import Resource
from rolecall.aio import AuditEvent, Rolecall
from rolecall.integrations.aiohttp import USER, connected, permission_middleware

RC = web.AppKey("rc", Rolecall)
INSTANCES = web.AppKey("instances", dict[tuple[str, str], str])
"""The owner of each instance, by account and id."""
REVISION = "Rolecall-Revision"


def build(rc: Rolecall) -> web.Application:
    """The application; every route but the health check needs a permission in its account."""
    of_account, one = "/accounts/{account_id}/instances", "/accounts/{account_id}/instances/{id}"
    rules = {
        "GET /health": None,
        f"POST {of_account}": rc.require("instance:write", account="account_id", creates=True),
        f"GET {one}": rc.require("instance:view", account="account_id", resource="id"),
        f"DELETE {one}": rc.require("instance:write", account="account_id", resource="id"),
    }
    app = web.Application(middlewares=[permission_middleware(rules)])
    app[RC], app[INSTANCES] = rc, {}
    app.router.add_get("/health", health)
    app.router.add_post(of_account, create)
    app.router.add_get(one, show)
    app.router.add_delete(one, delete)
    return app


async def health(request: web.Request) -> web.Response:
    """Answer that the service runs."""
    return web.json_response({"status": "ok"})


async def create(request: web.Request) -> web.Response:
    """Make an instance, which its creator owns from the first check on."""
    instance_id, owner = f"i-{uuid.uuid4().hex}", request[USER]
    known = Resource(instance_id, owner_id=owner)
    account_id = request.match_info["account_id"]
    revision = await request.app[RC].register(account_id, "instance", known)
    await record(request, "instance.created", account_id, instance_id)
    request.app[INSTANCES][account_id, instance_id] = owner
    headers = {} if revision is None else {REVISION: revision}
    return web.json_response({"id": instance_id, "owner": owner}, status=201, headers=headers)


async def show(request: web.Request) -> web.Response:
    """Show an instance."""
    account_id, instance_id = found(request)
    owner = request.app[INSTANCES][account_id, instance_id]
    return web.json_response({"id": instance_id, "owner": owner})


async def delete(request: web.Request) -> web.Response:
    """Delete an instance, first from the register: after a failure the caller tries again."""
    account_id, instance_id = found(request)
    await request.app[RC].unregister(account_id, "instance", instance_id)
    await record(request, "instance.deleted", account_id, instance_id)
    request.app[INSTANCES].pop((account_id, instance_id), None)
    return web.Response(status=204)


async def record(request: web.Request, action: str, account_id: str, instance_id: str) -> None:
    """Write what the user did into the account's audit log, before the user is answered."""
    await request.app[RC].audit(
        AuditEvent(
            account=account_id,
            action=action,
            resource=instance_id,
            user=request[USER],
            user_agent=request.headers.get("User-Agent"),
        )
    )


def found(request: web.Request) -> tuple[str, str]:
    """The account and the id of an instance that this account has.

    Raises:
        web.HTTPNotFound: the account has no such instance; another account may have it.
    """
    key = request.match_info["account_id"], request.match_info["id"]
    if key not in request.app[INSTANCES]:
        raise web.HTTPNotFound
    return key


async def main() -> web.Application:
    """Connect to Rolecall for as long as the application runs."""
    rc = Rolecall(
        os.environ["ROLECALL_URL"],
        client_id=os.environ["ROLECALL_CLIENT_ID"],
        client_secret=os.environ["ROLECALL_CLIENT_SECRET"],
    )
    app = build(rc)
    app.cleanup_ctx.append(connected(rc))
    return app


if __name__ == "__main__":
    web.run_app(main(), host="127.0.0.1", port=int(os.environ.get("PORT", "8099")))
