"""A platform of another field on a running product, with a catalog that it published itself."""

from pathlib import Path

from tests.e2e.journey import TABLES, Team, World, in_force
from tests.waiting import wait_for

FILE = TABLES / "print-shop.yaml"


async def give_roles_and_orders(world: World, team: Team) -> None:
    """The owner makes a role of the shop's own, and an order with an override in it."""
    owner, printer, bookkeeper, account = team.owner, team.mail, team.link, team.account_id
    shown = await owner.get(f"{team.path}/catalog")
    assert shown["policies"]["words"]["projects"] == "orders"
    grants = {"shop": {"enter": "all"}, "press": {"run": "all"}, "proof": {"see": "self"}}
    role = await owner.send("POST", f"{team.path}/roles", {"name": "Night shift", "grants": grants})
    await in_force(owner, role, 201)
    member = f"{team.path}/members/{printer.user_id}"
    await in_force(owner, await owner.send("PATCH", member, {"role": role.body["id"]}), 200)
    for permission, owned_by, reason in (
        ("press:start", None, "allowed"),
        ("press:maintain", None, "permission-missing"),
        ("proof:see", printer.user_id, "allowed"),
        ("proof:approve", printer.user_id, "permission-missing"),
    ):
        assert await world.decisions(
            printer.user_id, permission, account=account, owner=owned_by
        ) == world.everywhere(reason), permission

    order = (await owner.send("POST", f"{team.path}/projects", {"name": "Posters"})).expect(201)
    taken = await owner.send("POST", f"{team.path}/projects", {"name": "POSTERS"})
    assert "Another order of this account has that name." in taken.body["detail"]
    place = f"{team.path}/projects/{order['id']}/overrides/{bookkeeper.user_id}"
    override = await owner.send("PUT", place, {"grants": {"press": {"run": "all"}}})
    await in_force(owner, override, 200, 201)
    asked = {"account": account, "project": order["id"]}
    assert await world.decisions(bookkeeper.user_id, "press:stop", **asked) == (
        world.everywhere("allowed")
    )
    assert await world.decisions(bookkeeper.user_id, "press:stop", account=account) == (
        world.everywhere("permission-missing")
    )


def publish_a_later_version(world: World, folder: Path) -> None:
    """Publish the catalog with another name for a level, in which the roles name it, too."""
    file = folder / "later.yaml"
    text = FILE.read_text().replace("id: run, title: Run", "id: operate, title: Operate")
    file.write_text(text.replace("press: {run: all}", "press: {operate: all}"))
    assert world.deployment.operator is not None
    world.deployment.operator.publish(file)


async def move_to_the_later_version(world: World, team: Team) -> None:
    """The shop's own role and the override have the level, so the move needs a mapping."""
    owner, printer = team.owner, team.mail
    path, body = f"{team.path}/catalog", {"catalog": "print-shop"}
    refused = await owner.send("POST", path, body)
    assert (refused.status, refused.code) == (409, "mapping-needed")
    assert [error["pointer"] for error in refused.body["errors"]] == ["/mapping/levels/press:run"]
    mapping = {"levels": {"press:run": "press:operate"}}
    moved = await owner.send("POST", path, {**body, "mapping": mapping})
    await in_force(owner, moved, 200)
    for permission, reason in (
        ("press:start", "allowed"),
        ("press:operate", "allowed"),
        ("press:run", "permission-unknown"),
    ):
        assert await world.decisions(
            printer.user_id, permission, account=team.account_id
        ) == world.everywhere(reason), permission

    async def recorded() -> bool:
        items = (await owner.get(f"{team.path}/audit-events"))["items"]
        return {"role.created", "override.moved", "account.moved"} <= {
            item["action"] for item in items
        }

    await wait_for(recorded, what="the move in the audit log")
