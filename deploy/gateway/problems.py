"""The refusals of the gateway itself, in the form of the path's errors."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.gateway.error_text import PAGE_HEADERS, error_page_text
from deploy.gateway.paths import PARAMETER, path_pattern
from shared.http.error_forms import ErrorForm, error_document, error_headers
from shared.http.page_preference import PAGE_PREFERRED
from shared.http.refusals import BodyTooLarge, MethodNotAllowed, NoRoute, NotHttp, Unexpected
from shared.http.requests import REQUEST_ID_HEADER, SENT_ID_HEADER
from shared.http.routes import BODY_CAP_BYTES, Route
from shared.locales import DEFAULT_LOCALE, Locale
from shared.problems import Refusal, RefusalKind, Unavailable

MAX_BODY_BYTES = 4 * BODY_CAP_BYTES
"""Larger than the cap of most routes: up to this size a service answers with its own cap."""

REQUEST_ID = "req_$request_id"
"""The gateway's own id of a request, of letters and digits."""
SENT_ID = "$rolecall_sent_id"
"""The nginx variable with the sender's id if it can be repeated, otherwise the gateway's own."""


class TooManyConnections(Refusal):
    """One address has too many requests running at the same time (`T19`)."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-connections"
    detail = (
        "Too many requests from your address are running at the same time. Wait for some to end."
    )


class RequestRateExceeded(Refusal):
    """One address sends requests faster than its kind of request allows (`T19`)."""

    kind = RefusalKind.RATE_LIMITED
    code = "request-rate-exceeded"
    detail = (
        "Your address sends too many requests of this kind."
        " Wait the number of seconds in the Retry-After header, then try again."
    )


RATE_EXCEEDED_STATUS = 420
"""What nginx calls a request over a rate; no answer has this status."""

PAGE_FORM = "page"
"""The form of the errors of pages for people, in each language."""
LANGUAGE = "$rolecall_language"
"""The nginx variable with the language of the page: that which the browser names first."""
ERROR_FORM = "$rolecall_error_form"
"""The nginx variable with the form of the path's errors."""
MISSING_FORM = "$rolecall_missing_form"
"""The nginx variable with the form in which an unknown path is refused: a page for browsers."""
LIMIT = "$rolecall_limit"
"""The nginx variable with the kind of route whose limits apply."""
BODY_LIMIT = "$rolecall_body_limit"
"""The nginx variable with the largest body that the path takes from the gateway."""
POLICY = "$rolecall_limit_policy"
RETRY_AFTER = "$rolecall_retry_after"

HSTS = "$rolecall_hsts"
"""The nginx variable with the time for which browsers ask by https alone; empty without TLS."""
PACE = "$rolecall_pace"
"""The nginx variable with the bytes per second of a refusal for too many requests; 0 is any."""

_HEADERS = {
    REQUEST_ID_HEADER: REQUEST_ID,
    SENT_ID_HEADER: SENT_ID,
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": HSTS,
}


@dataclass(frozen=True)
class ErrorPage:
    """The statuses with which nginx ends a request, and the refusal that replaces them.

    `headers` are added, or replace those of the refusal. `token_endpoint` is the refusal there, if
    it differs. A `slow` refusal keeps its sender waiting: a crowd that is answered at once comes
    back at once, and its refusals delay every other request.
    """

    statuses: Sequence[int]
    refusal: Refusal
    headers: Mapping[str, str] = field(default_factory=dict)
    token_endpoint: Refusal | None = None
    form: str = ERROR_FORM
    slow: bool = False

    @property
    def _pace(self) -> str:
        return f" limit_rate {PACE};" if self.slow else ""

    @property
    def error_page(self) -> str:
        """The directive that sends these statuses to the location of the path's form."""
        statuses = " ".join(map(str, self.statuses))
        return f"error_page {statuses} ={self.refusal.status} {self._path(self.form)};"

    @property
    def locations(self) -> str:
        """The locations that answer with the refusal, one for each form."""
        return "\n    ".join([*map(self._location, ErrorForm), *map(self._page, Locale)])

    def _page(self, locale: Locale) -> str:
        """Take a body of any size here, as below."""
        headers = {**_HEADERS, **PAGE_HEADERS, "Vary": "Accept-Language", **self.headers}
        if self.refusal.retry_after is not None and "Retry-After" not in headers:
            headers["Retry-After"] = str(self.refusal.retry_after)
        added = "".join(f'add_header {name} "{text}" always; ' for name, text in headers.items())
        return (
            f"location = {self._path(_page_form(locale))} {{ internal; client_max_body_size 0;"
            f" default_type text/html; charset utf-8;{self._pace}"
            f" {added}return {self.refusal.status} '{error_page_text(self.refusal, locale)}'; }}"
        )

    def _location(self, form: ErrorForm) -> str:
        """Take a body of any size here: it belongs to the request that has failed."""
        differs = form is ErrorForm.OAUTH and self.token_endpoint is not None
        refusal = self.token_endpoint if differs and self.token_endpoint else self.refusal
        headers = {**_HEADERS, **error_headers(refusal, form), **self.headers}
        added = "".join(f'add_header {name} "{text}" always; ' for name, text in headers.items())
        document = json.dumps(error_document(refusal, form, request_id=REQUEST_ID))
        document = document.replace(f'"{BODY_LIMIT}"', BODY_LIMIT)  # a number
        return (
            f"location = {self._path(form.name.lower())} {{ internal; client_max_body_size 0;"
            f" default_type {form.value};{self._pace}"
            f" {added}return {refusal.status} '{document}\\n'; }}"
        )

    def _path(self, form: str) -> str:
        # A named location does not work: nginx has none for a request line that it cannot read.
        return f"/errors/{form}/{self.refusal.code}"


def body_limits(routes: Iterable[Route]) -> dict[str, int]:
    """The largest body of each path template that takes more than `MAX_BODY_BYTES`.

    It is larger than the cap of the route, which answers up to this size.
    """
    large = [row for row in routes if row.body_cap >= MAX_BODY_BYTES]
    return {row.path: row.body_cap + MAX_BODY_BYTES for row in large}


def body_limit_map(limits: Mapping[str, int]) -> str:
    """Return the map from a request to the largest body that its path takes.

    nginx measures the body before it sets the variables of a location.
    """
    lines = [f"default {MAX_BODY_BYTES};"]
    for path, limit in sorted(limits.items()):
        pattern = "[^/?]+".join(re.escape(part) for part in PARAMETER.split(path))
        lines.append(f'"~^{pattern}(?:\\?|$)" {limit};')
    return f"map $request_uri {BODY_LIMIT} {{ {' '.join(lines)} }}"


def error_form_map(routes: Iterable[Route], pages: Iterable[str] = ()) -> str:
    """Return the map from a path to the form of its errors; those of `pages` are pages."""
    others = sorted(
        {row.path: row for row in routes if row.errors is not ErrorForm.PROBLEM}.items()
    )
    lines = [f"{path} {row.errors.name.lower()};" for path, row in others]
    lines += [f"{_key(path)} {_page_form(LANGUAGE)};" for path in pages]
    lines.insert(0, f"default {ErrorForm.PROBLEM.name.lower()};")
    forms = f"map $uri {ERROR_FORM} {{ {' '.join(lines)} }}"
    return f"{_language_map()}\n  {forms}\n  {_missing_form_map()}"


def _language_map() -> str:
    first = " ".join(f'"~*^{locale}(?:[-,;]|$)" {locale};' for locale in Locale)
    return f"map $http_accept_language {LANGUAGE} {{ default {DEFAULT_LOCALE}; {first} }}"


def _page_form(language: str) -> str:
    return f"{PAGE_FORM}-{language}"


def _missing_form_map() -> str:
    """The map from the form of a path and what the sender accepts to the form of a 404."""
    for_people = PAGE_PREFERRED.replace("^", f"^{ErrorForm.PROBLEM.name.lower()} ", 1)
    return (
        f'map "{ERROR_FORM} $http_accept" {MISSING_FORM}'
        f' {{ default {ERROR_FORM}; "~{for_people}" {_page_form(LANGUAGE)}; }}'
    )


def _key(path: str) -> str:
    return f'"~{path_pattern(path)}"' if PARAMETER.search(path) else path


ERROR_PAGES = (
    ErrorPage((400, 414, 494, 501, 505), NotHttp()),
    ErrorPage((403, 404), NoRoute(), form=MISSING_FORM),
    ErrorPage(
        (405,), MethodNotAllowed(("GET", "HEAD")), token_endpoint=MethodNotAllowed(("POST",))
    ),
    ErrorPage((413,), BodyTooLarge(limit=BODY_LIMIT)),
    ErrorPage(
        (429,),
        TooManyConnections(retry_after=1),
        headers={"RateLimit-Policy": POLICY},
        slow=True,
    ),
    ErrorPage(
        (RATE_EXCEEDED_STATUS,),
        RequestRateExceeded(),
        headers={"Retry-After": RETRY_AFTER, "RateLimit-Policy": POLICY},
        slow=True,
    ),
    ErrorPage((500,), Unexpected()),
    # The service did not answer, so the outcome of a request with an effect is unknown.
    ErrorPage((502, 503, 504), Unavailable(), headers={"RateLimit-Policy": POLICY}),
)
