"""Pages some of whose presses need a fresh proof of who the user is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.pages.texts import PROOF_TOO_LATE, sentence
from services.console.routes.kept_forms import show_again
from services.console.routes.outcomes import (
    Outcome,
    PageRoute,
    SeeOther,
    Show,
    Shown,
    kept_values,
    page_status,
    refused_form,
    with_query,
)
from services.console.routes.person_frame import open_person
from services.console.routes.session_ends import STEP_UP_REQUIRED
from services.console.routes.visits import Visit

AT_FIELD = {"wrong-otp": "otp", "otp-required": "otp", "wrong-password": "password"}
"""The refusals of a proof, by the field that they are about."""
SIGN_IN_AGAIN = "sign-in-again"
"""A refusal of a proof, and the button that follows it."""

Press = Callable[[Visit], Awaitable[Outcome]]


@dataclass(frozen=True, kw_only=True)
class ProvedPage:
    """A page with buttons: `presses` by their names.

    `proved` are those for which the API may ask for a fresh proof, each with the press that follows
    the proof. The fields `carried` stay in the form of the proof. The `secrets` stay there sealed,
    for a short time: later they are asked for again, and nothing is sent without them. The `frame`
    is known before a press, so that what is shown once needs no answer after it.
    """

    path: str
    show: Show
    presses: Mapping[str, Press]
    proved: Mapping[str, str]
    section: str
    carried: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    fields: frozenset[str] = frozenset()
    frame: Callable[[Visit], Awaitable[object]] = open_person
    when_over: str = ""

    @property
    def route(self) -> PageRoute:
        """The row of the page."""
        return PageRoute(
            path=self.path,
            show=self.show,
            submit=self.submit,
            fields=self.fields,
            secrets=frozenset(self.secrets),
            when_over=self.when_over,
        )

    async def submit(self, visit: Visit) -> Outcome:
        """Do what the pressed button says, after a fresh proof where the API asks for one."""
        name = visit.typed.get("press", "")
        if name == SIGN_IN_AGAIN:
            await visit.end_session()
            return SeeOther(with_query(places.SIGN_IN, to=visit.path))
        press = self.presses.get(name)
        if press is None:
            return await self.show(visit, Form())
        proves = name in self.proved and "proof" in visit.typed
        if proves and self.secrets:
            carried = visit.open_typed()
            if carried is None:
                typed = kept_values(visit)
                return await show_again(self.route, visit, typed, problem=PROOF_TOO_LATE)
            visit.typed = {**visit.typed, **carried}
        await self.frame(visit)
        try:
            if proves:
                await _prove(visit)
                proves = False
            return await press(visit)
        except ApiRefusal as refusal:
            if refusal.code == STEP_UP_REQUIRED:
                return await self._ask_proof(visit, Form())
            if proves and refusal.status < 500:
                return await self._ask_proof(visit, _refused_proof(visit, refusal))
            raise

    async def _ask_proof(self, visit: Visit, form: Form) -> Outcome:
        factors = await visit.call("GET", "/v1/me/mfa")
        press = visit.typed["press"]
        words = {
            "section": self.section,
            "action": visit.path,
            "press": self.proved.get(press, press),
            "carried": {name: visit.typed.get(name, "") for name in self.carried},
            "sealed": visit.seal_typed(self.secrets),
            "by_code": factors["totp"] is not None or factors["passkeys"] > 0,
            "with_app": factors["totp"] is not None,
        }
        return Shown(template="security_proof", form=form, words=words)


async def _prove(visit: Visit) -> None:
    field = "password" if "password" in visit.typed else "otp"
    proof = visit.typed.get("password") or "-" if field == "password" else typed_code(visit)
    visit.change_access_token(await visit.call("POST", "/v1/me/step-up", {field: proof}))


def _refused_proof(visit: Visit, refusal: ApiRefusal) -> Form:
    field = AT_FIELD.get(refusal.code)
    if field is None or field not in visit.typed:
        return refused_form(visit, refusal)
    return Form(errors={field: sentence(refusal)}, status=page_status(refusal))


def typed_code(visit: Visit) -> str:
    """The code that was typed; the API takes no empty one."""
    return visit.typed.get("otp", "").strip() or "-"


def recovery_codes(codes: list[str], *, path: str, section: str, added: str = "") -> Outcome:
    """Show recovery codes, which no address leads to again; they came with the factor `added`."""
    words = {"section": section, "codes": codes, "added": added, "action": path}
    return Shown(template="security_codes", words=words)
