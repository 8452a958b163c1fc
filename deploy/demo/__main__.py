"""The command `make demo`: fill the running product with a team, and print how to sign in."""

import argparse
import asyncio
import base64
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout

from deploy.demo.crowd import crowd
from deploy.demo.history import DemoMonth, events, usage
from deploy.demo.team import (
    FURTHER_TEAM,
    IN_RESEARCH,
    INVITED,
    LATER_NIGHT_SHIFT,
    MEMBERS,
    NIGHT_SHIFT,
    OWNER,
    PASSWORD,
    PROJECTS,
    SEARCHES,
    TEAM,
    WEBHOOK,
    DemoPerson,
    belongings,
)
from deploy.local.run_files import run_file
from deploy.local.settings import LocalSettings
from shared.runtime.environment import load

LINK = re.compile(r"https?://\S+[?&]token=\S+")
MAIL_SECONDS, POLL_SECONDS = 60.0, 0.05
TRY_AGAIN = frozenset({429, 503})
"""What a busy product answers; with `Retry-After` the request is sent again."""
ATTEMPTS, MAX_WAIT_SECONDS = 10, 30
NOT_RUNNING = (
    "The product does not run. Start it with `make run`, and try again in another terminal."
)
NO_ANSWER = (
    "The product does not answer at {gateway}. Start it with `make run`, and try again when it says"
    " `Rolecall is ready`."
)
BEGUN = (
    "an earlier `make demo` ended in the middle, and its team is not complete. Stop the product,"
    " and start it with an empty folder: ROLECALL_DATA_DIR=.data/demo make run"
)
DONE = """
The team {team} {is_there}: {members} members and a month of history.

  Pages      {pages}/sign-in
  Owner      {owner}
  Member     {member}
  Password   {password}
"""


class DemoError(Exception):
    """The product refused a step; the message says which one."""


@dataclass(frozen=True, kw_only=True)
class SignedInPerson:
    """A person with a session and a personal account."""

    user_id: str
    account_id: str
    token: str


@dataclass(frozen=True)
class DemoClient:
    """The running product, as its users and a service of the platform see it."""

    http: ClientSession
    run: Mapping[str, Any]

    async def ask(self, method: str, path: str, body: object = None, *, token: str = "") -> Any:
        """Send a request of the public API.

        Raises:
            DemoError: it was refused.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers["Idempotency-Key"] = str(uuid4())  # an attempt that was made counts once
        where = self.run["gateway"] + path
        for attempt in count(1):
            async with self.http.request(method, where, json=body, headers=headers) as answer:
                text = await answer.text()
                wait = answer.headers.get("Retry-After", "")
                again = answer.status in TRY_AGAIN and wait.isdecimal() and attempt < ATTEMPTS
                if answer.status >= 300 and not again:
                    raise DemoError(f"{method} {path}: {answer.status} {text}")
            if not again:
                break
            await asyncio.sleep(min(int(wait), MAX_WAIT_SECONDS))
        return json.loads(text) if text else None

    async def knows(self, person: DemoPerson) -> str | None:
        """The token of a person who has signed up before."""
        where = self.run["gateway"] + "/v1/login"
        body = {"email": person.email, "password": PASSWORD}
        async with self.http.post(where, json=body) as answer:
            return str((await answer.json())["access_token"]) if answer.status == 200 else None

    async def sign_up(self, person: DemoPerson) -> SignedInPerson:
        """Sign a person up, and follow the mailed link."""
        await self.ask("POST", "/v1/signup", {"email": person.email, "name": person.name})
        token = parse_qs(urlsplit(await self._mailed_link(person.email)).query)["token"][0]
        body = {"token": token, "password": PASSWORD}
        answer = await self.ask("POST", "/v1/email/verify", body)
        return SignedInPerson(
            user_id=answer["user"]["id"],
            account_id=answer["account_id"],
            token=answer["access_token"],
        )

    async def service_token(self) -> str:
        """The token of the service client that `make run` has made."""
        client = self.run["service_client"]
        basic = base64.b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
        async with self.http.post(
            f"{self.run['gateway']}/oauth2/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {basic}"},
        ) as answer:
            answer.raise_for_status()
            return str((await answer.json())["access_token"])

    async def _mailed_link(self, email: str) -> str:
        try:
            return await self._arrived(email)
        except TimeoutError:
            raise DemoError(f"no mail with a link came to {email}") from None

    async def _arrived(self, email: str) -> str:
        async with asyncio.timeout(MAIL_SECONDS):
            while True:
                where = f"{self.run['mail']}/api/messages"
                async with self.http.get(where, params={"to": email}) as answer:
                    for mail in (await answer.json())["items"]:
                        if found := LINK.search(mail["text"]):
                            return found[0]
                await asyncio.sleep(POLL_SECONDS)


async def build_team(client: DemoClient, *, now: datetime) -> None:
    """Make the team, its projects, roles, exceptions and invitations, then report its month."""
    owner = await client.sign_up(OWNER)
    here, token = f"/v1/accounts/{owner.account_id}", owner.token
    await client.ask("POST", f"{here}/convert", {"name": TEAM}, token=token)
    await client.ask("POST", f"{here}/webhooks", WEBHOOK, token=token)
    await client.ask("POST", "/v1/accounts", {"name": FURTHER_TEAM}, token=token)
    people = {owner.user_id: OWNER}
    ids = {OWNER.name: owner.user_id}
    for person in MEMBERS:
        body = {"email": person.email, "role": person.role, "delivery": "link"}
        link = (await client.ask("POST", f"{here}/invitations", body, token=token))["link"]
        member = await client.sign_up(person)
        accepted = {"token": link["token"], "code": link["code"]}
        await client.ask("POST", "/v1/invitations/accept", accepted, token=member.token)
        people[member.user_id] = person
        ids[person.name] = member.user_id
    projects = [
        (await client.ask("POST", f"{here}/projects", {"name": name}, token=token))["id"]
        for name in PROJECTS
    ]
    await _change(client, here, token, ids=ids, research=projects[-1], now=now)
    service = await client.service_token()
    month = DemoMonth(account_id=owner.account_id, project_ids=projects, people=people, now=now)
    await client.ask("POST", "/v1/usage", {"usage": usage(month)}, token=service)
    await client.ask("POST", "/v1/audit/events", {"events": events(month)}, token=service)
    for path, wanted in belongings(now):
        await client.ask("POST", here + path, wanted, token=token)


async def _change(
    client: DemoClient,
    here: str,
    token: str,
    *,
    ids: Mapping[str, str],
    research: str,
    now: datetime,
) -> None:
    """What an admin does in a month."""
    role = {"name": "Night shift", "description": "Keeps things running", "grants": NIGHT_SHIFT}
    night = await client.ask("POST", f"{here}/roles", role, token=token)
    steps: list[tuple[str, str, object]] = [
        ("PATCH", f"/members/{ids['Dmitri Volkov']}", {"role": night["id"]}),
        ("PATCH", f"/roles/{night['id']}", {"grants": LATER_NIGHT_SHIFT}),
        ("PATCH", f"/members/{ids['Hana Novak']}", {"role": "operator"}),
        ("PATCH", f"/members/{ids['Hana Novak']}", {"role": "developer"}),
        (
            "PATCH",
            f"/members/{ids['Ines Castro']}",
            {"expires_at": (now + timedelta(days=60)).isoformat()},
        ),
        ("POST", f"/members/{ids['Luca Ferri']}/suspend", None),
        ("PUT", f"/projects/{research}/overrides/{ids['Kavya Rao']}", {"grants": IN_RESEARCH}),
        *(
            ("POST", "/invitations", {"email": email, "role": role_id, "delivery": "email"})
            for email, role_id in INVITED.items()
        ),
    ]
    for method, path, body in steps:
        await client.ask(method, here + path, body, token=token)


async def is_complete(client: DemoClient, token: str) -> bool:
    """Whether the team of an earlier run has the last thing that it makes."""
    accounts = (await client.ask("GET", "/v1/accounts", token=token))["items"]
    for account in accounts:
        if account["name"] == TEAM:
            path = f"/v1/accounts/{account['id']}/audit-searches"
            searches = (await client.ask("GET", path, token=token))["items"]
            return set(SEARCHES) <= {one["name"] for one in searches}
    return False


async def add_crowd(client: DemoClient, token: str, count: int) -> None:
    """Provision more members into the team, as a platform does with the users that it has."""
    accounts = await client.ask("GET", "/v1/accounts", token=token)
    [account_id] = [one["id"] for one in accounts["items"] if one["name"] == TEAM]
    here, service = f"/v1/accounts/{account_id}/provisioning/members", await client.service_token()
    for users, members in crowd(count):
        await client.ask("POST", "/v1/provisioning/users", {"users": users}, token=service)
        await client.ask("POST", here, {"members": members}, token=service)


async def fill(run: Mapping[str, Any], *, more_members: int = 0) -> bool:
    """Fill the product at the addresses of `run.json`; False if the team is there already.

    Raises:
        DemoError: a step was refused, or an earlier run has not ended.
    """
    async with ClientSession(timeout=ClientTimeout(total=120)) as http:
        client = DemoClient(http, run)
        token = await client.knows(OWNER)
        if token is None:
            await build_team(client, now=datetime.now(UTC))
        elif not await is_complete(client, token):
            raise DemoError(BEGUN)
        if more_members and (owner := await client.knows(OWNER)):
            await add_crowd(client, owner, more_members)
        return token is None


def main(arguments: Sequence[str]) -> int:
    """Return an exit status."""
    parser = argparse.ArgumentParser(
        prog="make demo",
        description="Fill the running product with a team, and print how to sign in.",
    )
    parser.add_argument(
        "--more-members", type=int, default=0, help="how many members to add to the team"
    )
    more = parser.parse_args(arguments).more_members
    settings = load(LocalSettings)
    try:
        run = json.loads(run_file(settings.data_dir).read_text())
    except FileNotFoundError:
        sys.stderr.write(NOT_RUNNING + "\n")
        return 1
    try:
        is_new = asyncio.run(fill(run, more_members=more))
    except ClientConnectionError:
        sys.stderr.write(NO_ANSWER.format(gateway=run["gateway"]) + "\n")
        return 1
    except (DemoError, OSError, TimeoutError) as fault:
        sys.stderr.write(f"The demonstration could not be made: {fault}\n")
        return 1
    sys.stdout.write(
        DONE.format(
            team=TEAM,
            is_there="is there" if is_new else "is there already",
            members=len(MEMBERS) + 1,
            pages=settings.public_url or run["gateway"],
            owner=OWNER.email,
            member=MEMBERS[3].email,
            password=PASSWORD,
        )
    )
    if more:
        sys.stdout.write(f"{more} members were added to it.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
