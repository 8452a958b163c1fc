"""What a page answers a visit with, and the row that describes a page."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from services.console.adapters.api import ApiRefusal
from services.console.adapters.streamed_answers import StreamedAnswer
from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from services.console.pages.page_text import Fault
from services.console.pages.rendering import Form
from services.console.pages.texts import ENTER_AGAIN, sentence
from services.console.routes.visits import Visit

SECRET_FIELDS = frozenset(
    {
        "password",
        "current",
        "new",
        "client_secret",
        "secret",
        "carried",
        "otp",
        "form",
        "first_step",
        "continuation",
        "challenge",
        "credential",
        "enrolment",
    }
)
"""What was typed there is not shown again."""
FIELDS = frozenset({"email", "name", "password", "otp", "time_zone"})
"""The fields that a person types into, where their faults are shown."""
IN_QUERY = "query/"
"""How the API points at a field that is sent in the query."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A page: its template, and the words that the template needs besides the form."""

    template: str
    form: Form = field(default_factory=Form)
    words: Mapping[str, object] = field(default_factory=dict)
    scripted: bool = False
    """Whether the page loads a script of ours."""
    reloads: bool = True
    """Whether an answer to a press becomes a page that the browser loads anew without it."""


@dataclass(frozen=True)
class SeeOther:
    """Another page of ours, which the browser fetches: a reload does not repeat the press."""

    path: str


@dataclass(frozen=True)
class Download:
    """A file, which the browser gets as the API sends it, under a `name` if the API has none.

    `own_name` takes the place of the API's.
    """

    answer: StreamedAnswer
    name: str = ""
    own_name: str = ""


Outcome = Shown | SeeOther | Download
Show = Callable[[Visit, Form], Awaitable[Outcome]]
Submit = Callable[[Visit], Awaitable[Outcome]]


@dataclass(frozen=True, kw_only=True)
class PageRoute:
    """One page. `show` answers GET and changes nothing; `submit` answers a press of its buttons.

    A mailed link of the kind `link` leads here. With `arrives` another site sends the browser here
    with the answer to a press, which counts once: `show` takes it. With `downloads` the answer is a
    file, as long as the API has it; a page of another site cannot ask for it, since the log tells
    of it in the visitor's name. A form has at most `max_fields`.

    The API refuses the press of a member without the permission `needs`: they read it at once, in
    place of a form that they would fill in for nothing.

    Where a press ends the session of its visitor, a second one finds it ended: `when_over` is what
    the sign-in says then, and nothing that was typed is kept.
    """

    path: str
    show: Show
    submit: Submit | None = None
    link: LinkKind | None = None
    arrives: bool = False
    downloads: bool = False
    fields: frozenset[str] = frozenset()
    """The fields of its form that a person types into, besides the common ones."""
    secrets: frozenset[str] = frozenset()
    """The fields of secrets that may be left empty: what was typed there is asked for again."""
    max_fields: int = 20
    needs: str = ""
    when_over: str = ""

    @property
    def methods(self) -> Sequence[str]:
        """The methods of its requests."""
        reads = ("GET",) if self.arrives or self.downloads else ("GET", "HEAD")
        return (*reads, "POST") if self.submit else reads

    @property
    def of_account(self) -> bool:
        """Whether the page is one of the account that its address names."""
        return self.path.startswith(places.ACCOUNT)

    @property
    def secret_query(self) -> bool:
        """Whether the query of its address can have a secret."""
        return self.link is not None or self.arrives


def refused_form(
    visit: Visit, refusal: ApiRefusal, fields_of_page: frozenset[str] = frozenset()
) -> Form:
    """The form with what the API says of each field."""
    fields = {
        pointer.removeprefix("/").removeprefix(IN_QUERY): text
        for pointer, text in refusal.errors.items()
    }
    shown = (FIELDS | fields_of_page) & visit.typed.keys()
    errors = {name: text for name, text in fields.items() if name in shown}
    return Form(
        values=kept_values(visit),
        errors=errors,
        problem=""
        if errors
        else sentence(refusal, in_account=visit.path.startswith(f"{places.HOME}/")),
        status=page_status(refusal),
    )


def page_status(refusal: ApiRefusal) -> int:
    """The page's status: 401 would need a challenge, and a browser shows a window for it."""
    return 403 if refusal.status == 401 else refusal.status


def kept_values(visit: Visit) -> Mapping[str, str]:
    """Return what was typed, without secrets."""
    return {name: text for name, text in visit.typed.items() if name not in SECRET_FIELDS}


def lost_secrets(row: PageRoute, visit: Visit) -> Mapping[str, Fault]:
    """What the form says at the fields whose secrets were typed, and are not shown again."""
    carried = bool(visit.typed.get("carried"))
    return {name: ENTER_AGAIN for name in row.secrets if carried or visit.typed.get(name)}


def query_text(**fields: str) -> str:
    """Return the fields as a query."""
    return "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in fields.items()
    )


def with_query(path: str, **fields: str) -> str:
    """Return the path with a query."""
    return f"{path}?{query_text(**fields)}"


def with_error(form: Form, *, problem: Fault, status: int) -> Form:
    """Return the form with another fault."""
    return replace(form, problem=problem, status=status)
