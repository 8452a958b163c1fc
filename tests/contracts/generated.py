"""Generated requests to one operation: some fit its description, some break one rule of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from shared.http.access import Public
from shared.http.routes import Media, Route, Strictness
from shared.ids import FORMS, PREFIXES, new_id
from tests.contracts.asking import SANE, Case
from tests.contracts.breaking import FAR_BEYOND, TYPE, Break, breaks, malformed
from tests.contracts.described import DEFINITIONS, OPERATIONS
from tests.contracts.fitting import Known, fitting, known_in
from tests.contracts.people import People
from tests.contracts.rows import content_type, encoded, examples, path_of, token_for
from tests.contracts.targets import ENDED, FRESH, FRESH_NAME

ADMITTED, MEMBER, STRANGER, CLIENT, ANONYMOUS = "admitted", "member", "stranger", "client", ""
"""Who asks. The credential is read when the request is sent, so that it is a live one."""
REFUSED = range(400, 500)
FORMED = {*PREFIXES, *FORMS}
"""The parameters of a path whose form is described."""
NO_SEGMENTS = ("x y", "\u0660", "a\0b", "$ne", "x" * 300, "{}", "-", "\n")
ENDS_THE_CALLER = {"current"}
"""Parameters that end the session which other requests need."""
LONGEST_QUERY = 5_000
NO_NUMBERS = ("x", "1.5", "", "9" * 400)


@dataclass(frozen=True)
class Operation:
    """A row with its description, and the people who ask."""

    row: Route
    people: People

    @property
    def described(self) -> Mapping[str, Any]:
        """The operation in the OpenAPI document."""
        return OPERATIONS[self.row.operation_id]

    def token(self, caller: str) -> str | None:
        """The credential that this caller has now."""
        people = self.people
        return {
            ADMITTED: token_for(self.row, people),
            MEMBER: people.plain.token,
            STRANGER: people.stranger.token,
            CLIENT: people.platform.token,
            ANONYMOUS: None,
        }[caller]

    def fitting(self) -> st.SearchStrategy[Case]:
        """Requests of any caller in which everything fits."""
        body = self._bodies() if self.row.takes else st.none()
        return st.builds(
            self._case, self._callers(), ids=self._ids(), query=self._queries(), body=body
        )

    def breaking(self) -> st.SearchStrategy[Case]:
        """Requests in which one rule is broken; the caller may be another one."""
        kinds = []
        if self.row.strictness is Strictness.STRICT:
            kinds.append(self._broken_queries())
        if self.row.takes is not None and self.row.media is Media.JSON:
            kinds += [self._broken_bodies(), self._broken_bodies(), self._malformed_bodies()]
        if FORMED & set(self.row.parameters):
            kinds.append(self._broken_paths())
        # A row that takes every form has one rule: there is a body.
        return st.one_of(kinds) if kinds else st.just(self._case(ADMITTED, statuses={400}))

    @property
    def _schema(self) -> Any:
        return self.described["requestBody"]["content"][self.row.media.value]["schema"]

    @property
    def _parameters(self) -> dict[str, Any]:
        return {
            each["name"]: each["schema"]
            for each in self.described.get("parameters", ())
            if each["in"] == "query"
        }

    @property
    def _known(self) -> Known:
        """What is in the team and in the examples, by the name of its member."""
        known = {name: [value] for name, value in self.people.team.ids.items()}
        for name, value in known_in(examples(self.people)):
            known.setdefault(name, []).append(value)
        known["confirm"].append(FRESH_NAME)
        known |= {"project": known["project_id"], "owner": known["user_id"]}
        return known | {"reassign_to": known["user_id"], "replacement": known["role"]}

    def _callers(self) -> st.SearchStrategy[str]:
        # Other operations need these users as they are.
        others = [] if self.row.operation_id in {"logOut", "leaveAccount"} else [MEMBER, STRANGER]
        return st.sampled_from([ADMITTED, ADMITTED, ADMITTED, CLIENT, ANONYMOUS, *others])

    def _ids(self) -> st.SearchStrategy[dict[str, str]]:
        own = self.people.team.ids
        ended = ENDED.get(self.row.operation_id)
        usual = own if ended is None else own | {ended: FRESH}
        unknown = {
            name: new_id(PREFIXES.get(name, "xyz"))
            for name in self.row.parameters
            if name not in {"account_id", "type", "revision"}
        }
        return st.sampled_from([usual, usual, usual, own | unknown if unknown else usual])

    def _bodies(self) -> st.SearchStrategy[Any]:
        bodies = fitting(self._schema, DEFINITIONS, self._known, self.row.operation_id)
        return bodies.map(_without_null) if self.row.media is Media.FORM else bodies

    def _good_bodies(self) -> st.SearchStrategy[Any]:
        row = self.row
        return st.sampled_from(examples(self.people)[row.operation_id]) if row.takes else st.none()

    def _queries(self) -> st.SearchStrategy[dict[str, Any]]:
        known = self._known
        strategies = {
            name: fitting(schema, DEFINITIONS, known, name)
            for name, schema in self._parameters.items()
            if name not in ENDS_THE_CALLER
        }
        return st.fixed_dictionaries({}, optional=strategies).map(_without_null)

    def _broken_bodies(self) -> st.SearchStrategy[Case]:
        def build(caller: str, broken: Break) -> Case:
            body = encoded(self.row, broken.value)
            return self._case(caller, body=body, **self._refused(caller, broken.pointer))

        def choices(body: Any) -> st.SearchStrategy[Break]:
            return st.sampled_from(list(breaks(body, self._schema, DEFINITIONS)))

        return st.builds(build, self._callers(), self._bodies().flatmap(choices))

    def _malformed_bodies(self) -> st.SearchStrategy[Case]:
        def build(caller: str, body: bytes) -> Case:
            refused = {"statuses": {400}, "code": "malformed-json"}
            return self._case(caller, body=body, **self._expected(caller, refused))

        def choices(body: Any) -> st.SearchStrategy[bytes]:
            return st.sampled_from(list(malformed(body)))

        return st.builds(build, self._callers(), self._good_bodies().flatmap(choices))

    def _broken_queries(self) -> st.SearchStrategy[Case]:
        def build(caller: str, broken: tuple[str, dict[str, Any]], body: Any) -> Case:
            pointer, query = broken
            refused = self._refused(caller, f"/query{pointer}")
            return self._case(caller, query=query, body=body, **refused)

        def choices(query: dict[str, Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
            return st.sampled_from(list(_broken_texts(query, self._parameters)))

        # A longer first line is refused before its query is read.
        short = self._queries().filter(lambda query: len(urlencode(query)) < LONGEST_QUERY)
        broken = short.flatmap(choices)
        return st.builds(build, self._callers(), broken, self._good_bodies())

    def _broken_paths(self) -> st.SearchStrategy[Case]:
        def build(caller: str, name: str, wrong: str, body: Any) -> Case:
            refused = self._expected(caller, {"statuses": {404}, "code": "not-found"})
            return self._case(
                caller, ids=self.people.team.ids | {name: wrong}, body=body, **refused
            )

        names = st.sampled_from(sorted(FORMED & set(self.row.parameters)))
        wrong = st.sampled_from(NO_SEGMENTS)
        return st.builds(build, self._callers(), names, wrong, self._good_bodies())

    def _refused(self, caller: str, pointer: str) -> dict[str, Any]:
        """How the row refuses what does not fit there."""
        lenient = self.row.strictness is Strictness.LENIENT
        status, code = (400, "bad-request") if lenient else (422, "invalid")
        return self._expected(caller, {"statuses": {status}, "code": code, "pointer": pointer})

    def _expected(self, caller: str, refused: dict[str, Any]) -> dict[str, Any]:
        """The refusal; a caller who may not do it may be told that first."""
        told = caller == ADMITTED or isinstance(self.row.access, Public)
        return refused if told else {"statuses": REFUSED}

    def _case(
        self,
        caller: str,
        *,
        ids: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        **expected: Any,
    ) -> Case:
        row, named = self.row, ids or self.people.team.ids
        path = path_of(row, {name: quote(value, safe="~") for name, value in named.items()})
        return Case(
            name=row.operation_id,
            method=row.method,
            path=f"{path}?{urlencode(query)}" if query else path,
            token=caller,
            body=body if body is None or isinstance(body, bytes) else encoded(row, body),
            headers=content_type(row),
            **{"statuses": SANE, **expected},
        )


def _without_null(members: Mapping[str, Any]) -> dict[str, Any]:
    """A form or a query: it has no null."""
    return {name: value for name, value in members.items() if value is not None}


def _broken_texts(
    query: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where a rule is broken, and the query; each value of a query is a text."""
    closed = {"properties": parameters, "additionalProperties": False}
    for broken in breaks(query, closed, DEFINITIONS):
        if not broken.rule.startswith((TYPE, FAR_BEYOND)):
            yield broken.pointer, broken.value
    for name, value in query.items():
        yield f"/{name}", {**query, name: f"{value}\0"}
        if parameters[name].get("type") == "integer":
            for text in NO_NUMBERS:
                yield f"/{name}", {**query, name: text}
