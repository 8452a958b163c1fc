"""The filters of the audit log as a query names them."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from services.audit.domain.records import Filters
from services.audit.domain.search_terms import words_of
from shared.contracts.facts import Outcome
from shared.http.access import Permission
from shared.http.moments import StoredMoment, moment_fault
from shared.http.paging import PageQuery
from shared.http.routes import Body
from shared.ids import PREFIXES, id_form, is_id


def _check_moment(value: str) -> str:
    """Refuse a number, which pydantic would take for seconds since 1970, and a lost `+`."""
    if re.search(r":\d\d(\.\d+)? \d\d:?\d\d$", value):
        raise ValueError("The `+` of the zone arrived as a blank. In a query, write it as `%2B`")
    if re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:", value) is None:
        raise ValueError(moment_fault(value))
    return value


def _check_id(value: str) -> str:
    """Refuse what begins as an id does and is not one."""
    prefix, separator, _ = value.strip().partition("_")
    if separator and prefix in PREFIXES.values() and not is_id(value.strip(), prefix):
        raise ValueError(id_form(prefix))
    return value


def _check_action(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(ACTION, value) is None:
        raise ValueError(
            "Must be an action such as `member.removed`, or its beginning with `.` or `*` at the"
            " end"
        )
    return value


def _check_text(value: str) -> str:
    if not words_of(value):
        raise ValueError("Must have a letter or a digit. Send at least one word of a name")
    return value


def _check_not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("Must not be blank. Leave the filter out, or send a value")
    return value


def _check_user(value: str) -> str:
    """Refuse a lost `+`: no id and no address that finds users has a blank."""
    if len(value.split()) > 1:
        raise ValueError("Must not contain blanks. In a query, write a `+` as `%2B`")
    return value


ACTION = r"^[a-z0-9_.-]{1,100}\*?$"
Moment = Annotated[AwareDatetime, BeforeValidator(_check_moment)]
Action = Annotated[
    str, BeforeValidator(_check_action), Field(json_schema_extra={"pattern": ACTION})
]
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=254), AfterValidator(_check_not_blank)
]
SearchedText = Annotated[Text, AfterValidator(_check_text)]
IdText = Annotated[Text, AfterValidator(_check_id)]
UserText = Annotated[IdText, AfterValidator(_check_user)]
ProjectText = Annotated[str, StringConstraints(pattern=r"^prj_[0-9a-f]{32}$")]
READ = Permission("audit_log:view")
"""Only members with this permission read the log (Rp15, Nv19)."""


class AuditFilterQuery(Body):
    """The filters of the audit log (Rp14); a record must match all that are given."""

    since: Moment | None = Field(None, alias="from", description="From this moment on (RFC 3339)")
    until: Moment | None = Field(None, alias="to", description="Before this moment (RFC 3339)")
    user: UserText | None = Field(None, description="The actor: an id, or a user's e-mail address")
    resource_type: Text | None = Field(None, description="The type of the resource: `member`")
    resource_id: Text | None = Field(None, description="The id of the resource")
    action: Action | None = Field(
        None, description="An action, or a prefix that ends with `.` or `*`"
    )
    outcome: Outcome | None = Field(None, description="Whether the action was done or refused")
    project: ProjectText | None = Field(None, description="The id of the project")
    request_id: Text | None = Field(
        None, description="The id of the request, as `Rolecall-Request-ID` of the answer has it"
    )

    through: IdText | None = Field(
        None, description="The id of the API token, session or service client that was used"
    )
    on_behalf_of: IdText | None = Field(
        None, description="The id of the user for whom a service acted"
    )
    text: SearchedText | None = Field(
        None, description="Words of the actor's or the resource's name, without case and accents"
    )

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: datetime | None, known: ValidationInfo) -> datetime | None:
        since = known.data.get("since")
        if since is not None and until is not None and until < since:
            raise ValueError("`to` is before `from`. Send a `to` that is later, or leave one out")
        return until

    def filters(self) -> Filters:
        """Return the filters for a search."""
        return Filters(
            since=self.since,
            until=self.until,
            user=self.user,
            resource_type=self.resource_type,
            resource_id=self.resource_id,
            action=self.action,
            outcome=self.outcome,
            project=self.project,
            request_id=self.request_id,
            through=self.through,
            on_behalf_of=self.on_behalf_of,
            text=self.text,
        )


class SavedFilters(AuditFilterQuery):
    """The filters of the audit log in a body."""

    since: StoredMoment | None = Field(
        None, alias="from", description="From this moment on (RFC 3339)"
    )
    until: StoredMoment | None = Field(
        None, alias="to", description="Before this moment (RFC 3339)"
    )


class AuditSearchQuery(AuditFilterQuery, PageQuery):
    """The filters of a search, and its page."""
