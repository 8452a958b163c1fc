"""Tests of `decide`: every rule counts, in its order, and is named."""

import dataclasses
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rolecall
from rolecall import (
    NO_ACCOUNT,
    PROJECT_PERMISSIONS,
    AccountStatus,
    Decision,
    Given,
    MembershipStatus,
    Override,
    Reason,
    Resource,
    Scope,
    Subject,
    decide,
    effective_matrix,
    effective_table,
    is_outsider,
    membership_denial,
)
from tests.sdk.accounts import NOW, STANDARD, account, member

B = Subject("usr_b")
OWN, FOREIGN, OWNERLESS = Resource(owner_id="usr_b"), Resource(owner_id="usr_c"), Resource()


def override(project_id="prj_1", expires_at=None, **grants):
    parsed = STANDARD.catalog.parse_grants(grants, within_project=True)
    return {project_id: Override(STANDARD.override_matrix(project_id, parsed), expires_at)}


VIEW_ONLY = override(instance={"view": "all"})
SUSPENDED, DELETING = AccountStatus.SUSPENDED, AccountStatus.DELETING
PROJECTS = frozenset({"prj_1", "prj_2"})
REGISTERED = {("instance", "i-1"): Resource(id="i-1", owner_id="usr_c", project_id="prj_1")}


@pytest.mark.parametrize(
    ("sentence", "team", "subject", "permission", "resource", "reason", "decided_by"),
    [
        (
            "a developer writes instances, of every owner",
            account(member("developer")), B, "instance:write", FOREIGN,
            Reason.ALLOWED, "role:developer",
        ),
        (
            "a finer name is held with its level",
            account(member("developer")), B, "instance:start", OWNERLESS,
            Reason.ALLOWED, "role:developer",
        ),
        (
            "basic writes an own instance",
            account(member("basic")), B, "instance:write", OWN,
            Reason.ALLOWED, "role:basic",
        ),
        (
            "basic does not write another's instance",
            account(member("basic")), B, "instance:write", FOREIGN,
            Reason.NOT_OWNER, "role:basic",
        ),
        (
            "basic does not write an instance whose owner is not known",
            account(member("basic")), B, "instance:write", OWNERLESS,
            Reason.OWNER_UNKNOWN, "role:basic",
        ),
        (
            "owning something does not help without a grant",
            account(member("viewer")), B, "instance:write", OWN,
            Reason.PERMISSION_MISSING, "role:viewer",
        ),
        (
            "a suspended account denies its owner too",
            account(member("owner", user_id="usr_a"), status=AccountStatus.SUSPENDED),
            Subject("usr_a"), "instance:view", OWNERLESS,
            Reason.ACCOUNT_SUSPENDED, None,
        ),
        (
            "an account that is being deleted denies its owner too",
            account(member("owner", user_id="usr_a"), status=AccountStatus.DELETING),
            Subject("usr_a"), "instance:view", OWNERLESS,
            Reason.ACCOUNT_DELETING, None,
        ),
        (
            "an unknown status denies",
            account(member("developer"), status="active"), B, "instance:view", OWNERLESS,
            Reason.ACCOUNT_SUSPENDED, None,
        ),
        (
            "a disabled user is denied",
            account(member("developer")), Subject("usr_b", user_disabled=True),
            "instance:view", OWNERLESS,
            Reason.USER_DISABLED, None,
        ),
        (
            "an ended session is denied",
            account(member("developer")), Subject("usr_b", session_ended=True),
            "instance:view", OWNERLESS,
            Reason.SESSION_ENDED, None,
        ),
        (
            "a member without the second factor that is demanded is denied",
            dataclasses.replace(account(member("developer")), require_second_factor=True),
            Subject("usr_b"),
            "instance:view", OWNERLESS,
            Reason.SECOND_FACTOR_REQUIRED, None,
        ),
        (
            "a member with the second factor that is demanded is as every other",
            dataclasses.replace(account(member("developer")), require_second_factor=True),
            Subject("usr_b", second_factor=True),
            "instance:view", OWNERLESS,
            Reason.ALLOWED, "role:developer",
        ),
        (
            "a stranger does not learn that a second factor is demanded",
            dataclasses.replace(account(member("developer")), require_second_factor=True),
            Subject("usr_z"),
            "instance:view", OWNERLESS,
            Reason.NOT_A_MEMBER, None,
        ),
        (
            "a stranger is not a member",
            account(member("developer")), Subject("usr_z"), "no:such", Resource(project_id="prj_9"),
            Reason.NOT_A_MEMBER, None,
        ),
        (
            "a suspended membership carries nothing",
            account(member("admin", status=MembershipStatus.SUSPENDED)), B,
            "instance:view", OWNERLESS,
            Reason.MEMBERSHIP_SUSPENDED, None,
        ),
        (
            "a membership is over at the instant of its expiry",
            account(member("admin", expires_at=NOW)), B, "instance:view", OWNERLESS,
            Reason.MEMBERSHIP_EXPIRED, None,
        ),
        (
            "a membership holds until the millisecond before",
            account(member("admin", expires_at=NOW + 1)), B, "instance:view", OWNERLESS,
            Reason.ALLOWED, "role:admin",
        ),
        (
            "an unknown action is denied to the owner as well",
            account(member("owner")), B, "instance:explode", OWN,
            Reason.PERMISSION_UNKNOWN, None,
        ),
        (
            "an unknown type is denied",
            account(member("owner")), B, "spaceship:view", OWN,
            Reason.PERMISSION_UNKNOWN, None,
        ),
        (
            "a wildcard is not a permission",
            account(member("owner")), B, "*:*", OWN,
            Reason.PERMISSION_UNKNOWN, None,
        ),
        (
            "a project of another account denies, for account-wide entries too",
            account(member("owner"), projects=PROJECTS), B, "balance:view",
            Resource(project_id="prj_9"),
            Reason.PROJECT_UNKNOWN, None,
        ),
        (
            "an override lowers inside its project",
            account(member("developer", overrides=VIEW_ONLY), projects=PROJECTS), B,
            "instance:write", Resource(project_id="prj_1", owner_id="usr_b"),
            Reason.PERMISSION_MISSING, "override:prj_1",
        ),
        (
            "an override replaces: what it does not name is gone inside",
            account(member("developer", overrides=VIEW_ONLY), projects=PROJECTS), B,
            "storage:view", Resource(project_id="prj_1"),
            Reason.PERMISSION_MISSING, "override:prj_1",
        ),
        (
            "an override raises inside its project",
            account(
                member("viewer", overrides=override(instance={"write": "all"})), projects=PROJECTS
            ),
            B, "instance:delete", Resource(project_id="prj_1"),
            Reason.ALLOWED, "override:prj_1",
        ),
        (
            "an override may reach own resources only",
            account(
                member("developer", overrides=override(instance={"write": "self"})),
                projects=PROJECTS,
            ),
            B, "instance:write", Resource(project_id="prj_1", owner_id="usr_c"),
            Reason.NOT_OWNER, "override:prj_1",
        ),
        (
            "another project follows the role",
            account(member("developer", overrides=VIEW_ONLY), projects=PROJECTS), B,
            "instance:write", Resource(project_id="prj_2"),
            Reason.ALLOWED, "role:developer",
        ),
        (
            "no project follows the role",
            account(member("developer", overrides=VIEW_ONLY), projects=PROJECTS), B,
            "instance:write", OWNERLESS,
            Reason.ALLOWED, "role:developer",
        ),
        (
            "account-wide entries follow the role inside a project",
            account(member("developer", overrides=VIEW_ONLY), projects=PROJECTS), B,
            "member:view", Resource(project_id="prj_1"),
            Reason.ALLOWED, "role:developer",
        ),
        (
            "an override is over at the instant of its expiry",
            account(
                member("developer", overrides=override(expires_at=NOW, instance={"view": "all"})),
                projects=PROJECTS,
            ),
            B, "instance:write", Resource(project_id="prj_1"),
            Reason.ALLOWED, "role:developer",
        ),
        (
            "an override of a project that is gone decides nothing",
            account(member("developer", overrides=VIEW_ONLY)), B,
            "instance:view", Resource(project_id="prj_1"),
            Reason.PROJECT_UNKNOWN, None,
        ),
        (
            "a registered resource brings its owner",
            account(member("basic"), projects=PROJECTS, resources=REGISTERED), B,
            "instance:view", Resource(id="i-1"),
            Reason.NOT_OWNER, "role:basic",
        ),
        (
            "a registered resource brings its project",
            account(
                member("developer", overrides=VIEW_ONLY), projects=PROJECTS, resources=REGISTERED
            ),
            B, "instance:write", Resource(id="i-1"),
            Reason.PERMISSION_MISSING, "override:prj_1",
        ),
        (
            "claiming a registered resource as one's own is a conflict",
            account(member("basic"), projects=PROJECTS, resources=REGISTERED), B,
            "instance:view", Resource(id="i-1", owner_id="usr_b"),
            Reason.RESOURCE_CONFLICT, None,
        ),
        (
            "moving a registered resource to another project is a conflict",
            account(member("developer"), projects=PROJECTS, resources=REGISTERED), B,
            "instance:view", Resource(id="i-1", project_id="prj_2"),
            Reason.RESOURCE_CONFLICT, None,
        ),
        (
            "saying of a registered resource what is true is none",
            account(member("developer"), projects=PROJECTS, resources=REGISTERED), B,
            "instance:view", Resource(id="i-1", owner_id="usr_c", project_id="prj_1"),
            Reason.ALLOWED, "role:developer",
        ),
        (
            "the same id of another type is another resource",
            account(member("basic"), projects=PROJECTS, resources=REGISTERED), B,
            "storage:view", Resource(id="i-1", owner_id="usr_b"),
            Reason.ALLOWED, "role:basic",
        ),
    ],
)  # fmt: skip
def test_the_decision(sentence, team, subject, permission, resource, reason, decided_by):
    decision = decide(team, subject, permission, resource, now=NOW)
    expected = Decision(allowed=reason is Reason.ALLOWED, reason=reason, decided_by=decided_by)
    assert decision == expected, sentence


# Each defect is removed in turn; the rest must show the next reason.
LADDER = [
    Reason.ACCOUNT_SUSPENDED,
    Reason.ACCOUNT_DELETING,
    Reason.USER_DISABLED,
    Reason.SESSION_ENDED,
    Reason.MEMBERSHIP_SUSPENDED,
    Reason.MEMBERSHIP_EXPIRED,
    Reason.SECOND_FACTOR_REQUIRED,
    Reason.PERMISSION_UNKNOWN,
    Reason.RESOURCE_CONFLICT,
    Reason.PROJECT_UNKNOWN,
    Reason.PERMISSION_MISSING,
    Reason.OWNER_UNKNOWN,
    Reason.NOT_OWNER,
    Reason.CONDITION_FAILED,
    Reason.ALLOWED,
]
SECURE = {"scope": "self", "when": {"path": "context.mfa", "equals": True}}
OWN_IF_SECURE = STANDARD.role_matrix(
    "basic", STANDARD.catalog.parse_grants({"instance": {"write": SECURE}})
)


@pytest.mark.parametrize("step", range(len(LADDER)))
def test_the_first_rule_that_refuses_gives_the_reason(step):
    mended = LADDER[:step]
    owners = {Reason.OWNER_UNKNOWN: None, Reason.NOT_OWNER: "usr_c"}
    owner = owners.get(LADDER[step], "usr_b" if Reason.NOT_OWNER in mended else None)
    broken = member(
        "billing",
        status=MembershipStatus("active" if Reason.MEMBERSHIP_SUSPENDED in mended else "suspended"),
        expires_at=None if Reason.MEMBERSHIP_EXPIRED in mended else NOW - 1,
    )
    if Reason.PERMISSION_MISSING in mended:
        broken = dataclasses.replace(broken, role=OWN_IF_SECURE)
    registered_owner = owner if Reason.RESOURCE_CONFLICT in mended else "usr_x"
    team = account(
        broken,
        status=AccountStatus(
            {0: "suspended", 1: "deleting"}.get(step, "active"),
        ),
        projects=PROJECTS if Reason.PROJECT_UNKNOWN in mended else frozenset(),
        resources={
            ("instance", "i-1"): Resource(id="i-1", owner_id=registered_owner, project_id="prj_1")
        },
    )
    team = dataclasses.replace(team, require_second_factor=True)
    subject = Subject(
        "usr_b",
        user_disabled=Reason.USER_DISABLED not in mended,
        session_ended=Reason.SESSION_ENDED not in mended,
        second_factor=Reason.SECOND_FACTOR_REQUIRED in mended,
    )
    permission = "instance:write" if Reason.PERMISSION_UNKNOWN in mended else "instance:explode"
    claimed = owner if Reason.RESOURCE_CONFLICT in mended else "usr_b"
    resource = Resource(id="i-1", owner_id=claimed)

    sent = Given(context={"mfa": Reason.CONDITION_FAILED in mended})

    decision = decide(team, subject, permission, resource, now=NOW, given=sent)
    assert decision.reason is LADDER[step]
    refused = membership_denial(team, subject, now=NOW)
    assert (refused.reason if refused else None) is (LADDER[step] if step < 7 else None)


@pytest.mark.parametrize(
    ("sentence", "team", "outside"),
    [
        ("an account that does not exist", None, True),
        ("a member", account(member()), False),
        ("not a member", account(member(user_id="usr_c")), True),
        ("a suspended member", account(member(status=MembershipStatus.SUSPENDED)), True),
        ("a membership at its end", account(member(expires_at=NOW)), True),
        ("a membership before its end", account(member(expires_at=NOW + 1)), False),
        ("a member of a suspended account", account(member(), status=SUSPENDED), False),
        ("not a member of a suspended account", account(status=SUSPENDED), True),
        ("a member of a deleted account", account(member(), status=DELETING), False),
    ],
)
def test_an_outsider_may_not_learn_that_the_account_exists(sentence, team, outside):
    assert is_outsider(team, "usr_b", now=NOW) is outside


def test_the_reason_codes_are_stable():
    assert {reason.value for reason in Reason} == {
        "allowed", "no-account", "account-suspended", "account-deleting",
        "user-disabled", "session-ended",
        "not-a-member", "membership-suspended", "membership-expired", "permission-unknown",
        "project-unknown", "resource-conflict", "permission-missing", "owner-unknown", "not-owner",
            "condition-failed", "token-restricted", "second-factor-required",
    }  # fmt: skip
    assert Decision(allowed=False, reason=Reason.NO_ACCOUNT) == NO_ACCOUNT


def test_the_readme_lists_the_reasons_in_their_order():
    readme = (Path(rolecall.__file__).parents[1] / "README.md").read_text()
    section = readme.partition("### How a check is decided\n")[2].partition("\n#")[0]
    listed = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    strangers = LADDER.index(Reason.MEMBERSHIP_SUSPENDED)
    ladder = [*LADDER[:strangers], Reason.NOT_A_MEMBER, *LADDER[strangers:-1]]
    ladder.append(Reason.TOKEN_RESTRICTED)
    assert listed == [reason.value for reason in ladder]


def test_the_example_of_the_readme_decides_as_it_says(capsys):
    readme = (Path(rolecall.__file__).parents[1] / "README.md").read_text()
    (example,) = [
        block
        for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
        if "decide(" in block
    ]
    printed = re.sub(r"^(decide\(.*\))$", r"print(\1)", example, flags=re.MULTILINE)
    exec(compile(printed, "README.md", "exec"), {})
    stated = re.findall(r"^# (Decision\(.*\))$", example, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == stated
    assert len(stated) == 2


def test_decisions_are_made_in_advance():
    team = account(member("developer"))
    first = decide(team, B, "instance:write", OWN, now=NOW)
    assert decide(team, B, "storage:write", FOREIGN, now=NOW) is first


def test_the_effective_table_shows_the_override_in_its_project():
    someone = member("developer", overrides=VIEW_ONLY)
    team = account(someone, projects=PROJECTS)
    inside = effective_table(team, someone, "prj_1", now=NOW)
    outside = effective_table(team, someone, "prj_2", now=NOW)
    assert inside["instance"] == {
        "view": "all", "connect": None, "manage": None, "delete": None, "write": None
    }  # fmt: skip
    assert set(inside["storage"].values()) == {None}
    assert inside["member"] == outside["member"]
    assert inside["budget"]["view"] == "self"
    assert outside == effective_table(team, someone, now=NOW)
    assert outside["instance"]["write"] == "all"


def in_good_standing(team, subject):
    someone = team.members.get(subject.user_id)
    return (
        team.status == "active"
        and not subject.user_disabled
        and not subject.session_ended
        and someone is not None
        and someone.status == "active"
        and (someone.expires_at is None or someone.expires_at > NOW)
    )


def reference(team, subject, permission, resource):
    """The rules again, with names looked up in the table instead of bits."""
    known = team.resources.get((permission.split(":")[0], resource.id), resource)
    on_project = permission in PROJECT_PERMISSIONS and resource.id is not None
    if (
        not in_good_standing(team, subject)
        or resource.owner_id not in (None, known.owner_id)
        or resource.project_id not in (None, known.project_id)
        or known.project_id not in (None, *team.projects)
        or (on_project and known.project_id not in (None, resource.id))
        or (on_project and resource.id not in team.projects)
    ):
        return False
    someone = team.members[subject.user_id]
    replaced = someone.overrides.get(resource.id if on_project else known.project_id)
    if replaced is not None and replaced.expires_at is not None and replaced.expires_at <= NOW:
        replaced = None
    held = {
        name: team.catalog.table(
            replaced.matrix if replaced and entry.project_scoped else someone.role
        )[entry.id][level.id]
        for entry in team.catalog.catalog.entries.values()
        for level in entry.levels
        for name in entry.permission_names(level)
        if name == permission
    }.get(permission)
    return held == "all" or (held == "self" and known.owner_id == subject.user_id)


def random_team(rng):
    entries = STANDARD.catalog.entries.values()

    def grants(scoped_only):
        return {
            entry.id: {
                level.id: rng.choice([Scope.ALL, Scope.SELF] if level.offers_self else [Scope.ALL])
                for level in entry.levels
                if rng.random() < 0.3
            }
            for entry in entries
            if entry.project_scoped or not scoped_only
        }

    people = [
        member(
            user_id=user_id,
            status=rng.choice([MembershipStatus.ACTIVE] * 4 + [MembershipStatus.SUSPENDED]),
            expires_at=rng.choice([None, None, NOW - 1, NOW, NOW + 1]),
            overrides={
                project_id: Override(
                    STANDARD.override_matrix(project_id, grants(scoped_only=True)),
                    rng.choice([None, NOW, NOW + 1]),
                )
                for project_id in ("prj_1", "prj_2", "prj_gone")
                if rng.random() < 0.5
            },
        )
        for user_id in ("usr_b", "usr_c")
    ]
    people = [
        dataclasses.replace(person, role=STANDARD.role_matrix("r", grants(scoped_only=False)))
        for person in people
    ]
    return account(
        *people,
        status=rng.choice([AccountStatus.ACTIVE] * 5 + [SUSPENDED, DELETING]),
        projects=PROJECTS,
        resources=rng.choice([{}, REGISTERED]),
    )


@given(st.integers(min_value=0))
@settings(max_examples=60, deadline=None)
def test_decisions_equal_those_of_the_reference_rules(seed):
    rng = random.Random(seed)
    team = random_team(rng)
    for _ in range(40):
        subject = Subject(
            rng.choice(["usr_b", "usr_c", "usr_z"]),
            user_disabled=rng.random() < 0.1,
            session_ended=rng.random() < 0.1,
        )
        permission = rng.choice(
            [*STANDARD.permissions, *PROJECT_PERMISSIONS * 4, "instance:explode"]
        )
        resource = Resource(
            id=rng.choice([None, "i-1", "i-2", "prj_1"]),
            owner_id=rng.choice([None, "usr_b", "usr_c"]),
            project_id=rng.choice([None, "prj_1", "prj_2", "prj_gone"]),
        )
        decision = decide(team, subject, permission, resource, now=NOW)
        assert decision.allowed is reference(team, subject, permission, resource)


@given(st.integers(min_value=0))
@settings(max_examples=30, deadline=None)
def test_the_effective_matrix_agrees_with_decide(seed):
    rng = random.Random(seed)
    team = random_team(rng)
    team = dataclasses.replace(team, status=AccountStatus.ACTIVE, resources={})
    for person in team.members.values():
        if membership_denial(team, Subject(person.user_id), now=NOW) is None:
            for project_id in (None, "prj_1", "prj_2"):
                held = STANDARD.held(effective_matrix(team, person, project_id, now=NOW))
                resource = Resource(owner_id="usr_other", project_id=project_id)
                for permission in STANDARD.permissions:
                    decision = decide(team, Subject(person.user_id), permission, resource, now=NOW)
                    assert decision.allowed is (held.get(permission) == "all")
