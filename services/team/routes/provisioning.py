"""The route by which a service client provisions the members of an account."""

from typing import Annotated, Literal

from pydantic import (
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from services.team.domain.member_rules import End, MemberChange
from services.team.domain.provisioning import MEMBERS_PER_BATCH, MemberEntry
from services.team.use_cases import provisioning
from services.team.use_cases.context import ClientRequest, Ctx
from services.team.use_cases.provisioned_page import MemberResult
from shared.auth.account_refusals import ACCOUNT_CLOSED
from shared.auth.bindings import AccountNotBound
from shared.http.access import Client
from shared.http.entry_refusals import EntryRefused, entry_refused
from shared.http.moments import StoredMoment
from shared.http.provisioning import BATCH_BODY_BYTES, PROVISION_SCOPE, ExternalId
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import UserId


class MemberToProvision(Body):
    """One member, by the external id of the user or by the user's id; what is left out stays.

    A user who is not a member yet needs a role. `attributes` replaces all attributes. `expires_at`
    is the end of the membership; null takes the end away. `remove` ends the membership.
    """

    external_id: ExternalId | None = None
    user_id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")] | None = None
    role: str | None = Field(default=None, min_length=1, max_length=64)
    attributes: dict[str, StrictStr | StrictBool | StrictInt | StrictFloat] | None = None
    expires_at: StoredMoment | None = None
    remove: bool = False

    @model_validator(mode="after")
    def _one_user_and_one_aim(self) -> "MemberToProvision":
        if (self.external_id is None) == (self.user_id is None):
            raise ValueError("Send either `external_id` or `user_id`")
        if self.remove and self.model_fields_set & {"role", "attributes", "expires_at"}:
            raise ValueError("Send `remove` without `role`, `attributes` and `expires_at`")
        return self

    @property
    def entry(self) -> MemberEntry:
        """The entry, with the parts that it names."""
        ends = "expires_at" in self.model_fields_set
        return MemberEntry(
            external_id=self.external_id,
            user_id=None if self.user_id is None else UserId(self.user_id),
            change=MemberChange(
                role=self.role,
                end=End(at=self.expires_at) if ends else None,
                attributes=self.attributes,
            ),
            remove=self.remove,
        )


class ProvisionMembers(Body):
    """The members, and whether mails tell them; a dry run changes nothing.

    With `notify` each new member gets one mail, and each member with another role. A member who is
    removed is told in any case.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"members": [{"external_id": "7f3a", "role": "developer"}]}]
        }
    )

    members: Annotated[
        tuple[MemberToProvision, ...], Field(min_length=1, max_length=MEMBERS_PER_BATCH)
    ]
    notify: bool = False
    dry_run: bool = False


class ProvisionedMemberView(Answer):
    """What became of one member. With `refused` nothing changed for them.

    `not_done`: the time of the request was over before. Nothing changed for them; send them again.
    """

    external_id: str | None
    user_id: str | None
    status: Literal["added", "updated", "removed", "unchanged", "refused", "not_done"]
    refusal: EntryRefused | None = None


class ProvisionedMembers(Answer):
    """A result for each member, in the order of the request."""

    dry_run: bool
    results: list[ProvisionedMemberView]


async def provision(ctx: Ctx, call: Call[ProvisionMembers, None], request: ClientRequest) -> Reply:
    """Bring the members of the account to what the request says."""
    written = await provisioning.provision(
        ctx,
        request,
        [one.entry for one in call.body.members],
        notify=call.body.notify,
        dry_run=call.body.dry_run,
        operation=call.route.operation_id,
    )
    results = [_view(one) for one in written.result]
    body = ProvisionedMembers(dry_run=call.body.dry_run, results=results)
    return Reply(body=body, written=written)


def _view(result: MemberResult) -> ProvisionedMemberView:
    return ProvisionedMemberView(
        external_id=result.entry.external_id,
        user_id=result.user_id,
        status="refused" if result.status is None else result.status.value,
        refusal=None if result.refusal is None else entry_refused(result.refusal),
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/provisioning/members",
        handler=provision,
        operation_id="provisionMembers",
        summary="Make, change and remove members by the platform's ids",
        tag="provisioning",
        access=Client(PROVISION_SCOPE),
        takes=ProvisionMembers,
        gives=ProvisionedMembers,
        refuses=(AccountNotBound, *ACCOUNT_CLOSED.values()),
        body_cap=BATCH_BODY_BYTES,
        effective_everywhere=True,
        on_repeat="Finds every member as it says, and changes nothing more.",
    ),
)
