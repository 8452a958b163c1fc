"""The page that invites people: several addresses at once, with one role."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.grant_texts import EntryText, of_grants
from services.console.domain.moments import end_of_day
from services.console.domain.permission_tables import PermissionTable
from services.console.pages.page_text import Fault, PageText
from services.console.pages.rendering import Form
from services.console.pages.texts import sentence
from services.console.routes.account_catalogs import after_press, read_catalog
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.member import NOT_A_DAY
from services.console.routes.outcomes import Outcome, PageRoute, kept_values, page_status
from services.console.routes.person_frame import together
from services.console.routes.session_ends import SignedOut
from services.console.routes.visits import Visit

MAX_ADDRESSES = 20
CONFLICT = 409
NAMED = re.compile(
    r'(?<![^\s,;])(?:"[^"\n]{0,100}"|[^\s<>@,;"][^<>@,;"\n]{0,100}?)?\s?<([^<>\s@,;]+@[^<>\s,;]+)>'
)
"""An address as programs for mail copy it, behind the name of its person."""
AT_EMAIL = "/email"
DOUBTS = frozenset({"throw-away-address", "similar-domain"})
"""Refusals of an address that deserves a second look, and can be invited all the same."""
SENT_BEFORE = frozenset({"idempotency-key-reused", "idempotency-answer-lost"})
"""Refusals of an address that the same form has invited already: the others are still to come."""
OF_THE_VISITOR = frozenset({401, 429, 503})
"""Statuses that are about the visitor or the server, so the next address has no better luck."""
NO_ADDRESS = PageText(
    "Enter at least one e-mail address.", "Geben Sie mindestens eine E-Mail-Adresse ein."
)
TOO_MANY = PageText(
    f"Enter at most {MAX_ADDRESSES} addresses at once.",
    f"Geben Sie höchstens {MAX_ADDRESSES} Adressen auf einmal ein.",
)
NOT_AN_ADDRESS = PageText("This is not an e-mail address.", "Das ist keine E-Mail-Adresse.")
SIGNED_OUT = PageText(
    "You are signed out. Sign in, then try again.",
    "Sie sind abgemeldet. Melden Sie sich an, und versuchen Sie es dann noch einmal.",
)


@dataclass(frozen=True, kw_only=True)
class RoleChoice:
    """A role that can be given, and what it gives, section by section."""

    role: Mapping[str, Any]
    sections: Sequence[tuple[str, Sequence[EntryText]]]


@dataclass(kw_only=True)
class InvitedPeople:
    """What became of each address."""

    sent: list[str]
    links: list[tuple[str, str]]
    """Of those that are handed over: the address, and the link, which is empty if it was shown."""
    refused: list[tuple[str, Fault]]
    doubted: list[str]
    """Those of the refused ones that can be invited all the same."""
    before: list[str] = field(default_factory=list)
    """Whom an earlier press of the form has invited, with other entries."""

    @classmethod
    def none(cls) -> Self:
        """Before anything is sent."""
        return cls(sent=[], links=[], refused=[], doubted=[])

    def take(self, address: str, invitation: Mapping[str, Any]) -> None:
        """Note an invitation that was made: it was mailed, or its link is handed over."""
        link = invitation["link"]
        if link is None and invitation["note"] is None:
            self.sent.append(address)
        else:
            self.links.append((address, "" if link is None else link["url"]))

    @property
    def made(self) -> bool:
        """Whether anyone is invited: a refusal after that does not hide it."""
        return bool(self.sent or self.links)

    def has_it_before(self, address: str, refusal: ApiRefusal) -> bool:
        """Note what a refusal says of an address; whether that one was invited before."""
        if refusal.code in DOUBTS:
            self.doubted.append(address)
        if refusal.code in SENT_BEFORE:
            self.before.append(address)
        return refusal.code in SENT_BEFORE


def role_choices(table: PermissionTable) -> Sequence[RoleChoice]:
    """The roles that can be given, each with the entries of which it gives something."""
    found = []
    for role in table.roles:
        if role["assignable"]:
            rows = of_grants(table, role["grants"])
            sections = [
                (section.title, [rows[one.id] for one in section.entries if rows[one.id].held])
                for section in table.sections
            ]
            shown = [(title, entries) for title, entries in sections if entries]
            found.append(RoleChoice(role=role, sections=shown))
    return found


async def show(visit: Visit, form: Form) -> Outcome:
    """Ask for addresses and a role."""
    frame, table = await _opened(visit)
    return _shown(frame, table, form, InvitedPeople.none())


async def _opened(visit: Visit) -> tuple[AccountFrame, PermissionTable]:
    frame, table = await together(open_account(visit), read_catalog(visit))
    return frame, table


def _shown(
    frame: AccountFrame, table: PermissionTable, form: Form, invited: InvitedPeople
) -> Outcome:
    return frame.shown(
        "account/invite",
        section="members",
        form=form,
        choices=role_choices(table),
        deliveries=table.policies["invitations"]["deliveries"],
        invited=invited,
    )


def typed_addresses(text: str) -> list[str]:
    """Return each address once, without the name that may stand before it."""
    return list(dict.fromkeys(re.split(r"[\s,;]+", NAMED.sub(r" \1 ", text).strip(" \t\r\n,;"))))


async def submit(visit: Visit) -> Outcome:
    """Invite each address; the form keeps those that were refused, with the reason of each."""
    frame, table = await _opened(visit)
    typed = visit.typed
    addresses = typed_addresses(typed.get("emails", ""))
    fault = (
        TOO_MANY if len(addresses) > MAX_ADDRESSES else NO_ADDRESS if addresses == [""] else None
    )
    body: dict[str, object] = {"role": typed.get("role", "")}
    if delivery := typed.get("delivery"):
        body["delivery"] = delivery
    errors: dict[str, Fault] = {} if fault is None else {"emails": fault}
    if day := typed.get("membership_expires_at", "").strip():
        end = end_of_day(day, time_zone=frame.user["time_zone"])
        if end is None:
            errors["membership_expires_at"] = NOT_A_DAY
        else:
            body["membership_expires_at"] = end
    if errors:
        form = Form(values=kept_values(visit), errors=errors, status=422)
        return _shown(frame, table, form, InvitedPeople.none())
    invited, status = await _invite(visit, addresses, body)
    if invited.refused:
        left = "\n".join(address for address, _ in invited.refused)
        form = Form(values={**kept_values(visit), "emails": left}, status=status)
        return _shown(frame, table, form, invited)
    if invited.before:
        # Another form: it may invite again whom this one has invited.
        values = {**kept_values(visit), "emails": "", "once": ""}
        return _shown(frame, table, Form(values=values, status=CONFLICT), invited)
    if invited.links:
        return frame.shown("account/invited", section="members", links=invited.links)
    return after_press(
        visit, "members", done="invited" if len(invited.sent) == 1 else "invited-all"
    )


async def _invite(
    visit: Visit, addresses: Sequence[str], body: Mapping[str, object]
) -> tuple[InvitedPeople, int]:
    """Return what became of each address, and the status of the page that tells it."""
    invited, status = InvitedPeople.none(), 200
    # The tick is about the addresses that the page has doubted, and about no other.
    meant = visit.typed.get("as_typed", "").split()
    for number, address in enumerate(addresses):
        try:
            made = await visit.answer(
                "POST",
                f"/v1/accounts/{visit.account_id}/invitations",
                {"email": address, "check_address": address not in meant, **body},
                key=_key(visit, address),
            )
        except ApiRefusal as refusal:
            if invited.has_it_before(address, refusal):
                continue
            of_the_form = bool(refusal.errors) and AT_EMAIL not in refusal.errors
            if of_the_form and not invited.made:
                raise
            status = page_status(refusal)
            said = _reason(refusal)
            if of_the_form or refusal.status in OF_THE_VISITOR:
                invited.refused += [(one, said) for one in addresses[number:]]
                break
            invited.refused.append((address, said))
        except SignedOut:
            if not invited.made:
                raise
            status = 403
            invited.refused += [(one, SIGNED_OUT) for one in addresses[number:]]
            break
        else:
            invited.take(address, made.body)
    return invited, status


def _reason(refusal: ApiRefusal) -> Fault:
    if AT_EMAIL in refusal.errors:
        return NOT_AN_ADDRESS
    return " ".join(refusal.errors.values()) or sentence(refusal, in_account=True)


def _key(visit: Visit, address: str) -> str:
    """One key for each address of one form: a repeated press invites each once."""
    digest = hashlib.sha256(address.encode()).hexdigest()[:32]
    return f"{visit.typed.get('once', '')[:64]}.{digest}"


PAGES = (
    PageRoute(
        path=f"{places.ACCOUNT}/invite",
        show=show,
        submit=submit,
        fields=frozenset({"emails", "role", "membership_expires_at", "as_typed"}),
    ),
)
