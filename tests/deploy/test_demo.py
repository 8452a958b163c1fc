"""The team of `make demo`: what it sends is what the product takes."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from deploy.demo.crowd import crowd
from deploy.demo.history import DAYS, DemoMonth, events, usage
from deploy.demo.team import (
    IN_RESEARCH,
    LATER_NIGHT_SHIFT,
    MEMBERS,
    NIGHT_SHIFT,
    OWNER,
    UNITS,
    WEBHOOK,
    belongings,
)
from rolecall import load_catalog
from services.audit.domain.reports import OLDEST
from services.audit.routes.events import ReportEvents
from services.audit.routes.metered_usage import ReportUsages
from services.audit.routes.saved_searches import NewSavedSearch
from services.audit.routes.streams import NewStream
from services.identity.routes.api_tokens import NewApiToken
from services.notification.routes.webhooks import NewWebhook
from services.team.routes.guardrails import CreateGuardrail

NOW = datetime(2026, 11, 27, 18, tzinfo=UTC)
STANDARD = load_catalog("standard")
PEOPLE = {f"usr_{number:032x}": one for number, one in enumerate((OWNER, *MEMBERS), 1)}
MONTH = DemoMonth(
    account_id=f"acc_{1:032x}",
    project_ids=[f"prj_{number:032x}" for number in range(1, 4)],
    people=PEOPLE,
    now=NOW,
)


@pytest.mark.parametrize("person", MEMBERS, ids=lambda one: one.name)
def test_each_member_has_a_role_that_can_be_given(person):
    assert person.role in {role.id for role in STANDARD.roles if role.assignable}


@pytest.mark.parametrize(
    "grants",
    [NIGHT_SHIFT, LATER_NIGHT_SHIFT, IN_RESEARCH],
    ids=["role", "changed role", "override"],
)
def test_the_catalog_knows_what_the_team_grants(grants):
    for entry, levels in grants.items():
        known = {level.id for level in STANDARD.entries[entry].levels}
        assert levels.keys() <= known


def test_the_month_is_reported_in_one_request_of_each_kind():
    used = ReportUsages.model_validate({"usage": usage(MONTH)}).usage
    done = ReportEvents.model_validate({"events": events(MONTH)}).events
    for reports in (used, done):
        assert len({one.id for one in reports}) == len(reports)
        times = [one.occurred_at for one in reports]
        assert max(times) <= NOW
        assert min(times) >= NOW - OLDEST
        assert (max(times) - min(times)).days >= 27
    assert {one.unit for one in used} == {unit for unit, _ in UNITS.values()}
    assert {one.outcome for one in done} == {"denied", "succeeded"}
    assert usage(MONTH) == usage(MONTH)
    assert events(MONTH) == events(MONTH)


def test_the_team_works_on_each_day_of_its_month_and_rests_at_weekends():
    days = Counter(datetime.fromisoformat(one["occurred_at"]).date() for one in events(MONTH))
    assert len(days) == DAYS
    week = [count for day, count in days.items() if day.isoweekday() <= 5]
    weekend = [count for day, count in days.items() if day.isoweekday() > 5]
    assert max(weekend) < min(week)
    assert len({*week}) > 5
    assert len({one["actor"]["id"] for one in events(MONTH)}) > 6


BODIES: Mapping[str, type[BaseModel]] = {
    "/api-tokens": NewApiToken,
    "/guardrails": CreateGuardrail,
    "/webhooks": NewWebhook,
    "/audit-streams": NewStream,
    "/audit-searches": NewSavedSearch,
}


def test_what_the_owner_makes_is_what_the_api_takes():
    made = [("/webhooks", WEBHOOK), *belongings(NOW)]
    assert {path for path, _ in made} == BODIES.keys()
    for path, body in made:
        BODIES[path].model_validate(body)


def test_a_crowd_has_as_many_members_as_asked_each_once():
    pages = list(crowd(250))
    assert [len(users) for users, _ in pages] == [100, 100, 50]
    users = [one for page, _ in pages for one in page]
    assert len({one["email"] for one in users}) == len({one["external_id"] for one in users}) == 250
    assert [one["external_id"] for _, page in pages for one in page] == [
        one["external_id"] for one in users
    ]
