"""What a running Rolecall answers in every mode: explanations, resources, and reports."""

from collections.abc import AsyncIterator, Sequence

from rolecall.aio.check import Check, known_resource
from rolecall.aio.register import Property, ResourceRegister
from rolecall.aio.remote import RemoteChecks
from rolecall.aio.report_types import AuditEvent, MemberUsage, ReportOutcome
from rolecall.aio.reports import ReportSender
from rolecall.client.evaluations import Moment
from rolecall.client.explanations import CheckExplanation, who_can_question
from rolecall.core.condition_facts import NOTHING_GIVEN, Given
from rolecall.core.state import Resource
from rolecall.core.who_can import Holder

_UNSPECIFIED = Resource()


class Questions:
    """The calls of `Rolecall` that are always answered by the running one."""

    def __init__(
        self,
        remote: RemoteChecks,
        register: ResourceRegister,
        *,
        events: ReportSender,
        usage: ReportSender,
    ) -> None:
        self._remote = remote
        self._register = register
        self._events = events
        self._usage = usage

    async def explain(
        self,
        subject: str,
        permission: str,
        resource: Resource | str = _UNSPECIFIED,
        *,
        account: str | None = None,
        at: Moment | None = None,
        given: Given = NOTHING_GIVEN,
    ) -> CheckExplanation:
        """Explain a check: its decision, each step, and what would allow it.

        With `at` it is about the state of a past time, and nothing would allow it any more.

        Raises:
            UndecidedError: as for `check`.
        """
        check = Check(
            subject=subject,
            permission=permission,
            resource=resource,
            account=account,
            at=at,
            given=given,
        )
        return await self._remote.explain(check.evaluation())

    def who_can(
        self,
        permission: str,
        resource: Resource | str = _UNSPECIFIED,
        *,
        account: str | None = None,
    ) -> AsyncIterator[Holder]:
        """Yield the members who have a permission, and what grants it.

        Raises:
            UndecidedError: as for `check`; the members so far are not all.
        """
        place = known_resource(resource)
        return self._remote.who_can(who_can_question(permission, place, account_id=account))

    async def register(
        self, account: str, resource_type: str, resource: Resource, **properties: Property
    ) -> str | None:
        """Register a resource: from now on its owner and project win over what a check says.

        The client needs the scope `resources:write`. It is safe to repeat. Returns the revision of
        the change, if it changed anything; hand it on as `Rolecall-Revision`.

        Raises:
            UndecidedError: it is not known whether the resource is registered, or it is refused;
                the class says why, as for `check`.
            ValueError: the resource has no id.
        """
        return await self._register.put(account, resource_type, resource, properties)

    async def unregister(self, account: str, resource_type: str, resource_id: str) -> str | None:
        """Delete a resource from the register; return the revision of the change.

        Raises:
            UndecidedError: as for `register`; a resource that is already gone raises nothing.
        """
        return await self._register.delete(account, resource_type, resource_id)

    async def audit(self, event: AuditEvent) -> ReportOutcome:
        """Record an event of the service in the audit log; return when it is stored.

        The client needs the scope `audit:write`. Calls at the same time share requests. An event is
        recorded once by its `id`, so the same event again is safe.

        Raises:
            UndecidedError: it is not known whether the event is recorded, or it is refused; the
                class says why, as for `check`.
            TypeError, ValueError: `before` or `after` is not JSON.
        """
        return await self._events.add(event)

    async def record_events(self, events: Sequence[AuditEvent]) -> list[ReportOutcome]:
        """Record many events, a thousand in a request; it raises as `audit`.

        After an error some may be recorded. Record the same events again.
        """
        return await self._events.send(events)

    async def record_usage(self, usage: Sequence[MemberUsage]) -> list[ReportOutcome]:
        """Record metered usage of members, with the scope `usage:write`; as `record_events`."""
        return await self._usage.send(usage)
