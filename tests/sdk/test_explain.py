"""Tests of `explain`: its decision is `decide`'s, and each sentence is true of the state."""

import random
from dataclasses import replace

import pytest

from rolecall import (
    AccountStatus,
    CompiledCatalog,
    Denial,
    Given,
    MembershipStatus,
    Override,
    Reason,
    Resource,
    Restriction,
    Scope,
    StepId,
    StepResult,
    Subject,
    TokenSubject,
    decide,
    explain,
    grantors,
    load_catalog,
    remedies,
    steps_of_denial,
)
from rolecall.core.decision_steps import ENDS_AT
from tests.sdk.accounts import NOW, STANDARD, account, member

OF_AN_ACCOUNT = [reason for reason in Reason if reason is not Reason.NO_ACCOUNT]
PROJECTS = frozenset({"prj_1", "prj_2"})
REGISTERED = {
    ("instance", "i-1"): Resource("i-1", "usr_c", "prj_1", properties={"state": "open"}),
}
WHEN_OPEN = {"path": "resource.properties.state", "equals": "open"}
PERMISSIONS = (
    "instance:view",
    "instance:write",
    "balance:view",
    "member:update",
    "project:manage",
    "instance:fly",
)
READ_ONLY = Restriction(read_only=True)
ROLES = [role.id for role in STANDARD.catalog.roles]


def override(project_id="prj_1", expires_at=None, **grants):
    parsed = STANDARD.catalog.parse_grants(grants, within_project=True)
    return {project_id: Override(STANDARD.override_matrix(project_id, parsed), expires_at)}


def random_check(rng):
    """A state, and a check in it, in which every rule decides now and then."""

    def rarely(value, otherwise):
        return value if rng.random() < 0.12 else otherwise

    someone = member(
        rng.choice(ROLES),
        user_id="usr_b",
        status=rarely(MembershipStatus.SUSPENDED, MembershipStatus.ACTIVE),
        expires_at=rarely(NOW, rng.choice([None, NOW + 1])),
        overrides=rng.choice(
            [
                {},
                override(instance={"view": "all"}),
                override(instance={"write": "self"}),
                override(instance={"write": {"scope": "all", "when": WHEN_OPEN}}),
                override(instance={"write": {"scope": "self", "when": WHEN_OPEN}}),
                override("prj_2", NOW, instance={"write": "all"}),
            ]
        ),
    )
    team = account(
        member("owner", user_id="usr_a"),
        *rarely([], [someone]),
        member(rng.choice(ROLES), user_id="usr_d"),
        status=rarely(rng.choice([AccountStatus.SUSPENDED, AccountStatus.DELETING]), "active"),
        projects=PROJECTS,
        resources=rng.choice([{}, REGISTERED]),
    )
    team = replace(team, require_second_factor=rng.random() < 0.3)
    if team.status == "active":
        team = replace(team, status=AccountStatus.ACTIVE)
    subject = Subject(
        rarely("usr_a", "usr_b"),
        user_disabled=rng.random() < 0.1,
        session_ended=rng.random() < 0.1,
        token=rng.choice([None, TokenSubject(rng.choice(["", "", "", "mem_old"]), READ_ONLY)]),
        second_factor=rng.random() < 0.7,
    )
    place = Resource(
        id=rng.choice([None, "-", "i-1", "i-2", "prj_1"]),
        owner_id=rng.choice([None, None, "usr_b", "usr_c"]),
        project_id=rng.choice([None, None, "prj_1", "prj_2", "prj_9"]),
    )
    return team, subject, rng.choice(PERMISSIONS), place


def explained(count=1_200):
    rng = random.Random(52)
    for _ in range(count):
        check = random_check(rng)
        yield check, explain(*check, now=NOW)


@pytest.mark.rule("B7")
def test_the_explained_decision_is_the_one_of_decide_for_every_reason():
    reached = set()
    for check, found in explained():
        assert found.decision == decide(*check, now=NOW)
        reached.add(found.decision.reason)
    assert reached == set(OF_AN_ACCOUNT)


def plainly(team, subject, permission, place):
    """Which steps hold, in the plainest words; later ones are left out after the first no."""
    yield StepId.ACCOUNT, team.status is AccountStatus.ACTIVE
    yield StepId.USER, not subject.user_disabled
    yield StepId.SESSION, not subject.session_ended
    one = team.members.get(subject.user_id)
    yield (
        StepId.MEMBERSHIP,
        one is not None
        and one.status is MembershipStatus.ACTIVE
        and (one.expires_at is None or one.expires_at > NOW)
        and (subject.token is None or subject.token.membership_id == ""),
    )
    if team.require_second_factor:
        yield StepId.SECOND_FACTOR, subject.second_factor
    known = STANDARD.permissions.get(permission)
    yield StepId.PERMISSION, known is not None
    assert one is not None
    assert known is not None
    kind = permission.partition(":")[0]
    registered = team.resources.get((kind, place.id))
    owner, project = place.owner_id, place.project_id
    contradicts = False
    if registered is not None:
        contradicts = owner not in (None, registered.owner_id)
        contradicts |= project not in (None, registered.project_id)
        owner, project = registered.owner_id, registered.project_id
    if kind == "project" and place.id not in (None, "-"):
        contradicts |= project not in (None, place.id)
        project = place.id
    yield StepId.RESOURCE, not contradicts
    yield StepId.PROJECT, project is None or project in PROJECTS
    own = one.overrides.get(project)
    inside = own is not None and own.active(now=NOW) and known.project_scoped
    matrix = own.matrix if inside else one.role
    unconditional = [(True, False)] * bool(matrix.all_mask & known.bit)
    unconditional += [(False, False)] * bool(matrix.self_mask & known.bit)
    conditional = matrix.conditional.get(known.bit, ())
    grants = unconditional + [(one.scope is Scope.ALL, True) for one in conditional]
    yield StepId.GRANTS, bool(grants)
    reaching = [limited for everyones, limited in grants if everyones or owner == subject.user_id]
    yield StepId.OWNER, bool(reaching)
    yield StepId.CONDITIONS, not all(reaching) or registered is not None
    if subject.token is not None:
        yield StepId.TOKEN, known.name.endswith(":view")


@pytest.mark.rule("B7")
def test_each_step_is_true_of_the_state_and_the_first_that_fails_decides():
    for check, found in explained():
        left = [(step.id, step.result) for step in found.steps]
        holds = True
        for step, holds in plainly(*check):
            assert left.pop(0) == (
                step,
                StepResult.HOLDS if holds else StepResult.DOES_NOT_HOLD,
            )
            if not holds:
                break
        assert {result for _, result in left} <= {StepResult.NOT_REACHED}
        assert found.decision.allowed is holds


def test_every_denial_ends_at_a_step():
    assert set(ENDS_AT) == set(Reason) - {Reason.ALLOWED}


def test_sentences_name_role_override_and_the_providers_word_for_a_project():
    overridden = member("developer", overrides=override(instance={"view": "all"}))
    team = account(overridden, projects=PROJECTS)
    place = Resource(id="i-2", project_id="prj_1")
    found = explain(
        team,
        Subject("usr_b"),
        "instance:write",
        place,
        now=NOW,
        project_name=lambda one: {"prj_1": "prod"}[one],
    )
    assert [step.text for step in found.steps] == [
        "The account is active.",
        "The user is not disabled.",
        "The session has not ended.",
        "The user is an active member with the role Developer.",
        "The catalog has the permission instance:write.",
        "The resource is not registered. What the request says of it counts.",
        "The account has the project prod.",
        (
            "The override in the project prod does not grant instance:write. It replaces the role"
            " Developer there."
        ),
        "This was not looked at.",
        "This was not looked at.",
    ]


def test_another_provider_gets_its_own_word_for_a_project():
    runos = CompiledCatalog(load_catalog("runos"))
    role = runos.catalog.roles[0].id
    team = account(member(role, catalog=runos), catalog=runos)
    known = next(iter(runos.permissions))
    found = explain(team, Subject("usr_b"), known, Resource(project_id="prj_9"), now=NOW)
    [step] = [step for step in found.steps if step.id is StepId.PROJECT]
    assert step.text == f"The account has no {runos.catalog.policies.words.project} prj_9."


def test_another_owner_of_the_resource_is_not_named():
    team = account(member("basic"), projects=PROJECTS, resources=REGISTERED)
    found = explain(team, Subject("usr_b"), "instance:write", Resource(id="i-1"), now=NOW)
    assert found.decision.reason is Reason.NOT_OWNER
    assert "usr_c" not in " ".join(step.text for step in found.steps)


@pytest.mark.parametrize(
    ("state", "reason", "text"),
    [
        (
            "open",
            Reason.ALLOWED,
            'The condition of the grant is met: resource.properties.state is "open".',
        ),
        (
            "closed",
            Reason.CONDITION_FAILED,
            'No condition of the grant is met. Missing is: resource.properties.state is "open".',
        ),
    ],
)
def test_a_condition_is_told_in_words(state, reason, text):
    grants = override(instance={"write": {"scope": "all", "when": WHEN_OPEN}})
    team = account(member("basic", overrides=grants), projects=PROJECTS)
    place, said = Resource(id="i-2", project_id="prj_1"), Given(resource={"state": state})
    found = explain(team, Subject("usr_b"), "instance:write", place, now=NOW, given=said)
    assert (found.decision.reason, found.steps[-1].text) == (reason, text)
    denied = Denial(team, Subject("usr_b"), "instance:write", place, found.decision, NOW, said)
    if reason is Reason.CONDITION_FAILED:
        wanted = remedies(denied)
        assert wanted.override is not None
        assert wanted.text.startswith(
            "The check would be allowed if the grant's condition were met. An override in the"
            " project that grants instance:write would also do. "
        )


def test_a_remedy_without_a_grant_is_told_before_the_roles():
    team = account(member("basic"), projects=PROJECTS, resources=REGISTERED)
    place = Resource(id="i-1")
    found = explain(team, Subject("usr_b"), "instance:write", place, now=NOW)
    denied = Denial(team, Subject("usr_b"), "instance:write", place, found.decision, NOW)
    assert remedies(denied).text.startswith(
        "The check would be allowed if the resource were the user's own. Otherwise the membership"
        " would need one of the roles Admin, Developer."
    )


def test_of_a_denial_without_an_account_only_the_last_step_is_told():
    steps = steps_of_denial(StepId.MEMBERSHIP, "No.")
    told = [step for step in steps if step.result is not StepResult.NOT_REACHED]
    assert [(step.id, step.text) for step in told] == [(StepId.MEMBERSHIP, "No.")]


def denial(check):
    team, subject, permission, place = check
    decision = decide(team, subject, permission, place, now=NOW)
    return Denial(team, subject, permission, place, decision, NOW)


@pytest.mark.rule("B7")
def test_exactly_the_roles_that_would_allow_are_named():
    overrides = 0
    for (team, subject, permission, place), found in explained(600):
        if found.decision.allowed:
            continue
        check = (team, subject, permission, place)
        wanted = remedies(denial(check))
        assert wanted.text.endswith(".")
        one = team.members.get(subject.user_id, member(user_id=subject.user_id))
        if found.decision.reason in {Reason.PERMISSION_MISSING, Reason.NOT_A_MEMBER}:
            assert list(wanted.roles) == [
                role.id
                for role in STANDARD.catalog.roles
                if role.assignable
                and subject.user_id != team.owner_user_id
                and not (subject.token and found.decision.reason is Reason.NOT_A_MEMBER)
                and allowed_with(team, replace(one, role=STANDARD.roles[role.id]), check)
            ]
        if wanted.override is not None:
            overrides += 1
            given = override(wanted.override.project_id, **wanted.override.grants)
            assert allowed_with(
                team, replace(one, terms=replace(one.terms, overrides=given)), check
            )
    assert overrides > 10


def allowed_with(team, one, check):
    changed = replace(team, members={**team.members, one.user_id: one})
    subject = Subject(one.user_id, token=check[1].token, second_factor=True)
    return decide(changed, subject, *check[2:], now=NOW).allowed


def test_the_remedies_say_what_would_allow_in_sentences():
    team = account(member("viewer"), projects=PROJECTS)
    place = Resource(id="i-2", project_id="prj_1")
    wanted = remedies(denial((team, Subject("usr_b"), "instance:write", place)))
    assert wanted.roles == ("admin", "developer")
    assert wanted.text == (
        "The membership would need one of the roles Admin, Developer. An override in the"
        " project that grants instance:write would also do. It replaces the role there, so it has"
        " to name all that the member keeps."
    )
    assert wanted.override is not None
    assert wanted.override.grants == {"instance": {"write": "all"}}


def test_no_override_is_offered_where_the_provider_offers_none():
    content = STANDARD.catalog
    features = replace(content.policies.features, overrides=False)
    without = replace(content, policies=replace(content.policies, features=features))
    catalog = CompiledCatalog(without)
    team = account(member("viewer", catalog), catalog=catalog, projects=PROJECTS)
    place = Resource(id="i-2", project_id="prj_1")
    wanted = remedies(denial((team, Subject("usr_b"), "instance:write", place)))
    assert wanted.roles == ("admin", "developer")
    assert wanted.override is None


@pytest.mark.rule("B5")
def test_only_members_who_hold_what_they_would_give_could_grant():
    lowered = member("admin", user_id="usr_l", overrides=override(instance={"view": "all"}))
    short = member("admin", user_id="usr_s", expires_at=NOW + 1)
    team = account(
        member("owner", user_id="usr_a"),
        member("viewer"),
        lowered,
        short,
        member("admin", user_id="usr_d"),
        member("developer", user_id="usr_e"),
        projects=PROJECTS,
    )
    place = Resource(id="i-2", project_id="prj_1")
    found = denial((team, Subject("usr_b"), "instance:write", place))
    could = grantors(found, remedies(found))
    assert [(one.user_id, one.override) for one in could.members] == [
        ("usr_a", True),
        ("usr_d", True),
    ]
    assert could.members[0].roles == ("admin", "developer")
    assert (could.count, could.complete) == (2, True)


def test_the_list_of_who_could_grant_is_bounded_and_counted():
    many = [member("admin", user_id=f"usr_{at:04}") for at in range(30)]
    team = account(member("owner", user_id="usr_a"), member("viewer"), *many)
    found = denial((team, Subject("usr_b"), "instance:write", Resource()))
    could = grantors(found, remedies(found))
    assert (len(could.members), could.count, could.members[0].user_id) == (20, 31, "usr_a")


LOCKED = {"not": {"path": "resource.properties.locked", "equals": True}}
TWO_WAYS = [{"scope": "all", "when": WHEN_OPEN}, {"scope": "self", "when": LOCKED}]


def told(place, said, resources=None):
    """The sentences of the grant, the owner and the conditions."""
    grants = override(instance={"write": TWO_WAYS})
    team = account(member("basic", overrides=grants), projects=PROJECTS, resources=resources or {})
    found = explain(
        team, Subject("usr_b"), "instance:write", place, now=NOW, given=Given(resource=said)
    )
    return found, {step.id: step.text for step in found.steps}


def test_the_owner_matters_where_only_the_grant_for_own_resources_applied():
    mine = Resource(id="i-2", owner_id="usr_b", project_id="prj_1")
    found, texts = told(mine, {"locked": False})
    assert found.decision.allowed
    assert texts[StepId.GRANTS].startswith(
        "The override in the project prj_1 grants instance:write under conditions for every"
        " resource and under conditions for the user's own resources."
    )
    assert texts[StepId.OWNER] == "The user owns the resource."
    found, texts = told(mine, {"state": "open"})
    assert found.decision.allowed
    assert texts[StepId.OWNER].endswith("so the owner does not matter.")


def test_every_way_that_a_grant_leaves_open_is_named_as_missing():
    found, texts = told(Resource(id="i-2", project_id="prj_1"), {"state": "done"})
    assert found.decision.reason is Reason.CONDITION_FAILED
    assert texts[StepId.OWNER] == (
        "A part of the grant is for every resource, and another for the user's own."
    )
    assert texts[StepId.CONDITIONS] == (
        'No condition of the grant is met. Missing is: resource.properties.state is "open"; or the'
        " user owns the resource and resource.properties.locked is not true."
    )


def test_a_registered_value_is_named_where_the_request_says_another_one():
    closed = {("instance", "i-1"): Resource("i-1", "usr_c", "prj_1", {"state": "done"})}
    _, texts = told(Resource(id="i-1"), {"state": "open"}, closed)
    counts = "(the registered value counts, not the one of the request)"
    assert f'resource.properties.state is "open" {counts};' in texts[StepId.CONDITIONS]
    _, texts = told(Resource(id="i-1"), {}, closed)
    assert counts not in texts[StepId.CONDITIONS]
