"""The demonstration that is pictured: its people, the ids of its things, and its mailed links."""

import contextlib
import re
import urllib.parse
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import pyotp

from deploy.demo.team import FURTHER_TEAM, INVITED, MEMBERS, OWNER, PASSWORD, PROJECTS, TEAM
from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from tests.e2e.visitors import PASSWORD as OWN_PASSWORD
from tests.e2e.visitors import Person, ProductWithMails, until
from tests.pictures.table import Seen

EXCEPTION, SUSPENDED, OTHER, CHANGED = "Kavya Rao", "Luca Ferri", "Emeka Obi", "Hana Novak"
"""Members: with permissions of their own in a project, suspended, usual, with another role."""
LISTS = {
    "token_id": "api-tokens",
    "guardrail_id": "guardrails",
    "webhook_id": "webhooks",
    "stream_id": "audit-streams",
    "search_id": "audit-searches",
    "invitation_id": "invitations",
}
"""What there is at least one of, by the name of its id."""
CONNECTION = {
    "label": "Northwind",
    "issuer": "https://login.northwind.example",
    "client_id": "rolecall",
    "domain": "northwind.example",
    "join_role": "viewer",
}
"""A company's sign-in whose domain waits for its proof."""
NEW_MAIL_SECONDS = 15.0
LOCALES = {"en": "en-US", "de": "de-DE"}


class Demonstration:
    """The team of `make demo`, and a person without a team."""

    def __init__(self, site: ProductWithMails) -> None:
        self.site = site
        self._shown: set[str] = set()
        self.person = site.known_person("Petra Lind")
        self.ids = self._ids()
        self.people = {
            Seen.OWNER: (OWNER.email, PASSWORD),
            Seen.MEMBER: (_email(OTHER), PASSWORD),
            Seen.PERSON: (self.person.email, OWN_PASSWORD),
        }
        self._links: Mapping[LinkKind, Callable[[], str]] = {
            LinkKind.VERIFICATION: self._verification,
            LinkKind.PASSWORD_RESET: self._password_reset,
            LinkKind.NEW_ADDRESS: self._new_address,
            LinkKind.FORMER_ADDRESS: self._former_address,
            LinkKind.SECOND_FACTOR: self._second_factor,
            LinkKind.INVITATION: self._invitation,
            LinkKind.UNSUBSCRIBE: self._unsubscribe,
        }

    def link(self, kind: LinkKind) -> str:
        """A link of this kind, from a mail of its own."""
        return self._links[kind]()

    def speak(self, language: str) -> None:
        """Have the pages of everyone in this language."""
        for email, password in self.people.values():
            self._send("/v1/me", {"locale": language}, self._token(email, password), "PATCH")

    def _token(self, email: str, password: str) -> str:
        given = {"email": email, "password": password}
        return str(self.site.send("/v1/login", given)["access_token"])

    def _send(self, path: str, body: Mapping[str, Any], token: str, method: str = "POST") -> Any:
        return self.site.send(path, body, token=token, method=method)

    def _ids(self) -> Mapping[str, str]:
        token = self._token(OWNER.email, PASSWORD)

        def items(path: str) -> Sequence[Mapping[str, Any]]:
            found: Sequence[Mapping[str, Any]] = self.site.get(path, token=token)["items"]
            return found

        accounts = {one["name"]: one["id"] for one in items("/v1/accounts")}
        here = f"/v1/accounts/{accounts[TEAM]}"
        members = {one["name"]: one["user_id"] for one in items(f"{here}/members?limit=100")}
        projects = {one["name"]: one["id"] for one in items(f"{here}/projects")}
        roles = {one["built_in"]: one["id"] for one in items(f"{here}/roles?limit=100")}
        query = urllib.parse.urlencode({"action": "member.role_changed", "limit": "1"})
        catalogs = {one["name"]: one["id"] for one in items(f"{here}/catalogs")}
        return {
            **{name: items(f"{here}/{path}?limit=1")[0]["id"] for name, path in LISTS.items()},
            "account_id": accounts[TEAM],
            "further_id": accounts[FURTHER_TEAM],
            "personal_id": self.person.account_id,
            "owner_id": members[OWNER.name],
            "user_id": members[EXCEPTION],
            "suspended_id": members[SUSPENDED],
            "other_id": members[OTHER],
            "unknown_id": members[OTHER][:-1] + "-",
            "project_id": projects[PROJECTS[-1]],
            "production_id": projects[PROJECTS[0]],
            "role_id": roles[False],
            "built_in_role_id": roles[True],
            "catalog_id": urllib.parse.quote(catalogs["novita"]),
            "connection_id": self._send(f"{here}/sso-connections", CONNECTION, token)["id"],
            "event_id": items(f"{here}/audit-events?{query}")[0]["id"],
        }

    def _mailed(self, email: str, path: str, *, anew: bool = True) -> str:
        """The link to a page in the newest mail to an address.

        A mail that is on its way ends the link of the one before it: `anew` waits for one that was
        not shown before. Where none comes, the one before still counts.
        """
        query = urllib.parse.urlencode({"to": email})
        wanted = re.compile(rf"https?://[^\s/]+{path}\?\S*token=\S+")

        def arrived(shown: Collection[str] = ()) -> str | None:
            mails = self.site.get(f"{self.site.mail}/api/messages?{query}")["items"]
            links = [one[0] for mail in mails if (one := wanted.search(mail["text"]))]
            return next((one for one in links if one not in shown), None)

        what = f"a mail to {email} with a link to {path}"
        link: str = until(arrived, what=what)
        if anew and link in self._shown:
            with contextlib.suppress(AssertionError):
                link = until(lambda: arrived(self._shown), what=what, within=NEW_MAIL_SECONDS)
        self._shown.add(link)
        return self.site.here(link)

    def _verification(self) -> str:
        new = self.site.new_person("Nora Beck")
        self.site.send("/v1/signup", {"email": new.email, "name": new.name})
        return self._mailed(new.email, places.VERIFY)

    def _password_reset(self) -> str:
        self.site.send("/v1/password/forgot", {"email": self.person.email})
        return self._mailed(self.person.email, places.RESET)

    def _new_address(self) -> str:
        new = self.site.new_person()
        body = {"email": new.email, "password": OWN_PASSWORD}
        self._send("/v1/me/email", body, self._token(self.person.email, OWN_PASSWORD))
        return self._mailed(new.email, places.CONFIRM_EMAIL)

    def _former_address(self) -> str:
        former, new = self.site.known_person("Otto Falk"), self.site.new_person()
        self._send("/v1/me/email", {"email": new.email, "password": OWN_PASSWORD}, former.token)
        link = urllib.parse.urlsplit(self._mailed(new.email, places.CONFIRM_EMAIL))
        token = urllib.parse.parse_qs(link.query)["token"][0]
        self._send("/v1/me/email/confirm", {"token": token}, former.token)
        return self._mailed(former.email, places.UNDO_EMAIL)

    def _second_factor(self) -> str:
        careful: Person = self.site.known_person("Pia Holm")
        made = self._send("/v1/me/mfa/totp", {}, careful.token)
        otp = pyotp.TOTP(made["secret"]).now()
        self._send("/v1/me/mfa/totp/confirm", {"otp": otp}, careful.token)
        return self._mailed(careful.email, places.REMOVE_FACTOR)

    def _invitation(self) -> str:
        return self._mailed(next(iter(INVITED)), places.INVITATION, anew=False)

    def _unsubscribe(self) -> str:
        return self._mailed(_email(CHANGED), places.UNSUBSCRIBE, anew=False)


def _email(name: str) -> str:
    return next(person.email for person in MEMBERS if person.name == name)
