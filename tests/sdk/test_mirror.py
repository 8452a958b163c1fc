"""Tests of local mode without a network: gaps, leases, restarts, and the same decisions."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall import Resource, Subject, decide
from rolecall.aio import LeaseOverError
from rolecall.aio.accounts import LocalAccounts, ToldObject
from rolecall.aio.event_stream import MAX_EVENT_BYTES, EventReader
from rolecall.aio.lease import StreamLease
from rolecall.aio.local import MAX_ANSWERS, MAX_HANDLES, LocalChecks, answer_of
from rolecall.aio.mirror import StreamBrokenError, StreamEndedError
from rolecall.core.persistent import PART_SIZE
from services.authz.domain.policy_state import PolicyState
from services.authz.domain.stream_events import told
from shared.contracts.policy_objects import PolicyObjectKind
from tests.lengths import length
from tests.sdk.streamed import STANDARD, Script, as_told, catalog
from tests.services.authz import histories
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    CY,
    NOON,
    OTHER_ACCOUNT,
    PROD,
    account,
    member,
    no_member,
    override,
    project,
    resource,
)

CONDITIONAL = {"scope": "all", "when": {"path": "resource.properties.state", "equals": "on"}}
BY_TEAM = {"scope": "all", "when": {"path": "subject.properties.team", "equals": "on"}}
WRITE = "instance:write"
NOW = int(NOON.timestamp() * 1000)


@pytest.fixture
def script():
    return Script()


def checks(script):
    return LocalChecks(script.mirror, clock=lambda: script.now, now=lambda: NOW)


def test_local_mode_decides_from_what_was_told(script):
    script.begin(account(), member(ANA, "owner"), member(BO, "developer"))
    local = checks(script)
    assert local.check(BO, WRITE, account=ACCOUNT).role == "developer"
    assert local.check(CY, WRITE, account=ACCOUNT).reason == "not-a-member"
    assert local.check(BO, WRITE, account=OTHER_ACCOUNT).reason == "no-account"
    script.change(no_member(BO))
    assert local.check(BO, WRITE, account=ACCOUNT).reason == "not-a-member"


def test_nothing_is_decided_before_the_state_is_whole(script):
    local = checks(script)
    script.play(script.hello())
    script.tell("state", objects=[as_told(account())])
    with pytest.raises(LeaseOverError):
        local.check(BO, WRITE, account=ACCOUNT)
    with pytest.raises(StreamBrokenError, match="before the state is whole"):
        script.lease()


def test_nothing_is_decided_after_the_lease(script):
    script.begin(account(), member(BO, "developer"))
    local = checks(script)
    kept = local.handle(BO, WRITE, account=ACCOUNT)
    assert local.check(BO, WRITE, account=ACCOUNT)
    assert kept.check()
    script.now += 2.9
    assert kept.check()
    script.now += 0.1
    for check in (kept.check, lambda: local.check(BO, WRITE, account=ACCOUNT)):
        with pytest.raises(LeaseOverError, match="lease"):
            check()
    script.lease(at=53.0)
    assert kept.check()


def test_the_lease_is_tested_after_the_state_was_read(script):
    """A process that is stopped between the two does not answer from before the stop."""
    script.begin(account(), member(BO, "developer"))

    def stopped_while_deciding():
        script.now += 60
        return NOW

    local = LocalChecks(script.mirror, clock=lambda: script.now, now=stopped_while_deciding)
    with pytest.raises(LeaseOverError):
        local.check(BO, WRITE, account=ACCOUNT)


@pytest.mark.parametrize("lost", ["change", "lease", "state"])
def test_a_lost_event_is_noticed_by_the_next_one(script, lost):
    script.begin(account(), member(BO, "developer"))
    local = checks(script)
    assert local.check(BO, WRITE, account=ACCOUNT)
    script.text(lost, objects=[as_told(no_member(BO))], shard=1, seq=1, applied={})
    with pytest.raises(StreamBrokenError, match="event 5 is missing"):
        script.lease(at=51.0)
    with pytest.raises(LeaseOverError):
        local.check(BO, WRITE, account=ACCOUNT)
    assert script.mirror.last_event_id is None, "the next stream begins with the whole state"


@pytest.mark.parametrize(
    "text",
    [
        b"event: change\ndata: [\n\n",
        b'event: change\ndata: {"n":5}\n\n',
        b'event: lease\ndata: {"n":5,"at":1}\n\n',
        b'event: other\ndata: {"n":5}\n\n',
        b'event: hello\ndata: {"n":5}\n\n',
        b'event: change\ndata: {"n":5,"shard":1,"seq":1,"objects":[{"kind":"member"}]}\n\n',
        b"event: change\ndata: 7\n\n",
    ],
)
def test_an_event_that_cannot_be_read_ends_the_use_of_the_state(script, text):
    script.begin(account(), member(BO, "developer"))
    with pytest.raises(StreamBrokenError):
        script.play(text)
    with pytest.raises(LeaseOverError):
        checks(script).check(BO, WRITE, account=ACCOUNT)


def test_a_delayed_grant_is_not_longer_than_a_prompt_one(script):
    script.begin(account(), member(BO, "developer"))
    script.now += 10
    script.lease(at=51.0)
    assert script.mirror.lease.until < script.now, "it was made nine seconds ago"


def test_a_lease_counts_from_the_request_of_its_stream():
    lease = StreamLease()
    lease.granted(at=10.0, seconds=3.0, now=100.0)
    assert lease.until == float("-inf"), "without a greeting the other clock is not known"
    lease.began(asked_at=100.0, at=10.0)
    lease.granted(at=12.0, seconds=3.0, now=109.0)
    assert lease.until == pytest.approx(102.0 + 3 * 0.98)
    # Rolecall's clock runs twice as fast: a grant cannot be newer than its arrival.
    lease.granted(at=40.0, seconds=3.0, now=115.0)
    assert lease.until == pytest.approx(115.0 + 3 * 0.98)
    lease.granted(at=41.0, seconds=3.0, now=115.5)
    assert lease.until == pytest.approx(115.5 + 3 * 0.98)


def test_the_last_state_is_used_while_another_one_is_told(script):
    script.begin(account(), member(BO, "developer"))
    local = checks(script)
    again = Script(script.mirror)
    again.play(again.hello(at=7.0))
    again.tell("state", objects=[as_told(account())])
    assert local.check(BO, WRITE, account=ACCOUNT), "half of a new state does not count"
    again.tell("state", objects=[as_told(member(CY, "developer"))])
    again.tell("ready", event_id="b.t.0")
    script.now += 5
    with pytest.raises(LeaseOverError):
        local.check(CY, WRITE, account=ACCOUNT)


def test_a_new_state_replaces_all_of_the_last_one(script):
    script.begin(account(), member(BO, "developer"))
    again = Script(script.mirror)
    again.begin(account(), member(CY, "developer"))
    local = checks(again)
    assert local.check(BO, WRITE, account=ACCOUNT).reason == "not-a-member"
    assert local.check(CY, WRITE, account=ACCOUNT)


def test_a_stream_that_goes_on_needs_the_state_before_it(script):
    with pytest.raises(StreamBrokenError, match="goes on"):
        script.play(script.hello(resumed=True))
    script = Script()
    script.begin(account(), member(BO, "developer"))
    later = Script(script.mirror)
    later.play(later.hello(resumed=True))
    later.change(no_member(BO))
    later.lease()
    assert not checks(later).check(BO, WRITE, account=ACCOUNT)


def test_half_of_a_state_is_nothing_to_go_on_from(script):
    """What changes while the state is told has a number of its own."""
    script.begin(account(), member(BO, "developer"))
    again = Script(script.mirror)
    again.play(again.hello())
    again.tell("change", event_id="b.t.1", objects=[as_told(account())], shard=1, seq=1)
    assert script.mirror.last_event_id is None


def test_the_end_of_a_stream_is_told_with_its_reason(script):
    script.begin(account())
    with pytest.raises(StreamEndedError, match="draining"):
        script.tell("end", reason="draining")
    assert script.mirror.last_event_id == "life.tag.0"
    assert script.mirror.lease.until > script.now, "another replica goes on within the lease"


def test_what_the_stream_does_not_tell_is_not_decided_here(script):
    script.begin(
        account(), member(BO, "developer"), account_ids=[ACCOUNT], resource_types=["instance"]
    )
    local = checks(script)
    assert local.check(BO, WRITE), "the only account that the client is bound to"
    for subject, permission, more in (
        (BO, WRITE, {"account": OTHER_ACCOUNT}),
        (BO, "volume:write", {"account": ACCOUNT}),
        ("b@example.com", WRITE, {"account": ACCOUNT}),
        (BO, WRITE, {"account": ACCOUNT, "at_least_revision": "team.epo_1.3.9"}),
        (BO, WRITE, {"account": ACCOUNT, "at_least_revision": "identity.epo_1.3.1"}),
        (BO, WRITE, {"account": ACCOUNT, "at_least_revision": "nonsense"}),
        (BO, WRITE, {"account": ACCOUNT, "at_least_revision": "team.epo_1.1." + "9" * 5_000}),
    ):
        with pytest.raises(LeaseOverError):
            local.check(subject, permission, **more)


def test_a_change_counts_for_a_resource_that_was_asked_about_before(script):
    script.begin(account(), member(BO, "developer"))
    kept, asked = checks(script).handle(BO, WRITE, account=ACCOUNT), Resource("i-1")
    assert all(kept.check(asked) for _ in range(2))
    script.change(no_member(BO))
    assert not kept.check(asked)
    script.change(member(BO, "developer"))
    assert kept.check(asked)
    assert not kept.check(Resource("i-1", project_id="prj_unknown"))
    assert kept.check(asked)


def test_no_earlier_answer_is_left_when_a_membership_gets_an_end(script):
    """From then on time decides as well, so no answer is kept."""
    script.begin(account(), member(BO, "developer"))
    kept = checks(script).handle(BO, WRITE, account=ACCOUNT)
    asked = Resource("i-1")
    assert kept.check(asked)
    script.change(member(BO, "viewer", expires_at=(NOON + timedelta(days=1)).isoformat()))
    assert [kept.check(asked).reason for _ in range(2)] == ["permission-missing"] * 2


def test_the_end_of_a_session_denies_its_user(script):
    script.begin(account(), member(BO, "developer"))
    local = checks(script)
    kept = local.handle(BO, WRITE, account=ACCOUNT)
    assert local.check(BO, WRITE, account=ACCOUNT, session="ses_1")
    assert kept.check(session="ses_1")
    script.end("ses_1", "ses_2")
    assert kept.check()
    for reason in (
        local.check(BO, WRITE, account=ACCOUNT, session="ses_1").reason,
        kept.check(session="ses_1").reason,
    ):
        assert reason == "session-ended"
    assert kept.check(session="ses_3"), "another session of the user"
    assert kept.check(), "a check that names no session"
    assert local.check(BO, WRITE, account=OTHER_ACCOUNT, session="ses_1").reason == "no-account"


def test_an_ended_session_stays_so_when_the_state_is_told_again(script):
    script.begin(account(), member(BO, "developer"))
    script.end("ses_1")
    again = Script(script.mirror)
    again.begin(account(), member(BO, "developer"))
    found = checks(again).check(BO, WRITE, account=ACCOUNT, session="ses_1")
    assert found.reason == "session-ended"


def test_an_ended_session_that_is_told_with_the_state_counts(script):
    script.play(script.hello())
    script.tell("state", objects=[catalog(STANDARD), as_told(account())])
    script.tell("state", objects=[as_told(member(BO, "developer"))])
    script.end("ses_1")
    script.tell("ready", event_id="life.tag.0")
    script.lease()
    found = checks(script).check(BO, WRITE, account=ACCOUNT, session="ses_1")
    assert found.reason == "session-ended"


@pytest.mark.rule("T5")
def test_a_revoked_key_stays_so_when_the_state_is_told_again(script):
    script.begin(account(), member(BO, "developer"))
    script.tell("lease", at=51.0, seconds=3.0, applied={}, revoked_keys=["k1"])
    script.lease(at=52.0)
    with pytest.raises(StreamEndedError):
        script.tell("end", reason="token-revoked", revoked_keys=["k2"])
    script.mirror.dropped()
    again = Script(script.mirror)
    again.begin(account())
    assert script.mirror.revoked_keys == {"k1", "k2"}


def test_an_ended_session_is_remembered_while_a_token_of_it_may_live(script):
    script.begin(account(), member(BO, "developer"))
    script.end("ses_1", seconds=600)
    script.now += 599
    script.end("ses_2", seconds=600)
    assert list(script.mirror.ended) == ["ses_1", "ses_2"]
    script.now += 2
    script.end("ses_3", "ses_2", seconds=600)
    assert list(script.mirror.ended) == ["ses_3", "ses_2"]


def test_a_disabled_user_is_denied_until_they_are_enabled(script):
    script.begin(account(), member(BO, "developer"))
    kept = checks(script).handle(BO, WRITE, account=ACCOUNT)
    asked = Resource("i-1")
    for disabled, reason in ((False, "allowed"), (True, "user-disabled"), (False, "allowed")):
        script.disable(**{BO: disabled, ANA: not disabled})
        script.end("ses_1")
        assert [kept.check(asked).reason for _ in range(2)] == [reason] * 2
        assert checks(script).check(BO, WRITE, account=ACCOUNT).reason == reason


@pytest.mark.rule("B1")
def test_a_demanded_second_factor_decides_until_the_demand_ends(script):
    script.begin(account(), member(BO, "developer"))
    kept = checks(script).handle(BO, WRITE, account=ACCOUNT)
    asked = Resource("i-1")
    missing = "second-factor-required"
    for seq, (demanded, proved, reason) in enumerate(
        [
            (False, False, "allowed"),
            (True, False, missing),
            (True, True, "allowed"),
            (True, False, missing),
            (False, False, "allowed"),
        ],
        1,
    ):
        script.have_factor(**{BO: proved, ANA: not proved})
        script.change(account(require_second_factor=demanded), seq=seq)
        assert [kept.check(asked).reason for _ in range(2)] == [reason] * 2
        assert checks(script).check(BO, WRITE, account=ACCOUNT).reason == reason


@pytest.mark.parametrize("told", [True, False])
def test_a_state_that_is_told_again_says_anew_who_has_a_factor(script, told):
    script.begin(account(require_second_factor=True), member(BO, "developer"))
    script.have_factor(**{BO: True})
    assert checks(script).check(BO, WRITE, account=ACCOUNT)
    again = Script(script.mirror)
    again.play(again.hello())
    again.tell("state", objects=[catalog(STANDARD), as_told(account(require_second_factor=True))])
    again.tell("state", objects=[as_told(member(BO, "developer"))])
    if told:
        again.have_factor(**{BO: True})
    again.tell("ready", event_id="life.tag.0")
    again.lease()
    assert bool(checks(again).check(BO, WRITE, account=ACCOUNT)) is told


@pytest.mark.parametrize("told", [True, False])
def test_a_state_that_is_told_again_says_anew_who_is_disabled(script, told):
    script.begin(account(), member(BO, "developer"))
    script.disable(**{BO: True})
    again = Script(script.mirror)
    again.play(again.hello())
    again.tell("state", objects=[catalog(STANDARD), as_told(account())])
    again.tell("state", objects=[as_told(member(BO, "developer"))])
    assert checks(again).check(BO, WRITE, account=ACCOUNT).reason == "user-disabled"
    if told:
        again.disable(**{BO: True})
    again.tell("ready", event_id="life.tag.0")
    again.lease()
    found = checks(again).check(BO, WRITE, account=ACCOUNT)
    assert found.reason == ("user-disabled" if told else "allowed")


def test_a_stream_that_does_not_tell_of_disabled_users_is_not_used(script):
    with pytest.raises(StreamBrokenError, match="which users are disabled"):
        script.play(script.hello(users=False))


def test_a_stream_that_does_not_tell_of_sessions_is_not_used(script):
    with pytest.raises(StreamBrokenError, match="which sessions have ended"):
        script.play(script.hello(sessions=False))


def test_a_narrower_scope_counts_for_what_was_resolved_before(script):
    script.begin(account(), member(BO, "developer"))
    local = checks(script)
    kept = local.handle(BO, WRITE, account=ACCOUNT)
    assert kept.check()
    again = Script(script.mirror)
    again.begin(account(OTHER_ACCOUNT), account_ids=[OTHER_ACCOUNT])
    with pytest.raises(LeaseOverError, match="not in the policy stream"):
        kept.check()


def test_a_revision_counts_as_soon_as_it_is_applied(script):
    script.begin(account(), member(BO, "developer"))
    revision = "team.epo_1.1.7"
    assert not script.mirror.has(revision)
    script.change(no_member(BO), seq=7)
    assert script.mirror.has(revision)
    assert not script.mirror.has("team.epo_0.1.7")
    assert not checks(script).check(BO, WRITE, account=ACCOUNT, at_least_revision=revision)


def test_an_account_without_its_catalog_is_not_decided_here(script):
    script.begin(account(catalog=histories.RUNPOD.id), member(BO, "developer"))
    local = checks(script)
    with pytest.raises(LeaseOverError, match="catalog"):
        local.check(BO, WRITE, account=ACCOUNT)
    script.tell("state", objects=[as_told(histories.catalog(histories.RUNPOD.id))])
    assert local.check(BO, WRITE, account=ACCOUNT).reason in {"permission-unknown", "allowed"}


def test_an_answer_that_time_decides_is_not_kept(script):
    soon = (NOON + timedelta(seconds=1)).isoformat()
    script.begin(account(), member(BO, "developer", expires_at=soon), project())
    script.change(member(CY, "developer"), override(CY, {"instance": {}}, expires_at=soon))
    moment = [NOW]
    local = LocalChecks(script.mirror, clock=lambda: script.now, now=lambda: moment[0])
    inside = Resource(project_id=PROD)
    assert local.check(BO, WRITE, account=ACCOUNT)
    assert not local.check(CY, WRITE, inside, account=ACCOUNT)
    moment[0] += 1000
    assert local.check(BO, WRITE, account=ACCOUNT).reason == "membership-expired"
    assert local.check(CY, WRITE, inside, account=ACCOUNT)


def test_a_condition_is_decided_by_registered_properties(script):
    roles = {"role_1": {"name": "R", "grants": {"instance": {"view": CONDITIONAL}}}}
    registered = resource("i-1", properties={"state": "on"})
    script.begin(account(roles=roles), member(BO, "role_1"), registered)
    local = checks(script)
    for _ in range(2):
        assert local.check(BO, "instance:view", Resource("i-1"), account=ACCOUNT)
        found = local.check(BO, "instance:view", Resource("i-2"), account=ACCOUNT)
        assert found.reason == "condition-failed"
    script.change(resource("i-1", properties={"state": "off"}))
    assert not local.check(BO, "instance:view", Resource("i-1"), account=ACCOUNT)


@pytest.mark.parametrize(
    "change",
    [override(BO, {"instance": {"write": "all"}}), project(), member(BO, "viewer"), resource()],
    ids=["override", "project", "member", "resource"],
)
def test_a_change_of_a_large_account_makes_only_what_it_touches(script, change):
    crowd = [f"usr_{number:032x}" for number in range(PART_SIZE + 40)]
    script.begin(account(), member(BO, "developer"), *(member(each, "viewer") for each in crowd))
    before = script.mirror.accounts.states[ACCOUNT]
    known = {each: before.members[each] for each in crowd}
    script.change(change)
    after = script.mirror.accounts.states[ACCOUNT]
    assert after is not before
    assert all(after.members[each] is known[each] for each in crowd)


def test_events_are_read_however_they_are_split():
    text = b'id: a\nevent: x\ndata: {"a": 1}\n\n: a comment\n\nevent: y\ndata: 2\n\n'
    for size in range(1, len(text)):
        reader = EventReader()
        found = []
        for start in range(0, len(text), size):
            found += reader.feed(text[start : start + size])
        assert [(each.name, each.data, each.id) for each in found] == [
            ("x", '{"a": 1}', "a"),
            ("y", "2", None),
        ]


@pytest.mark.parametrize("end", [b"x", b"\n"], ids=["one line", "many lines"])
def test_an_event_without_an_end_is_refused(end):
    reader, piece = EventReader(), b"x" * (2**20 - 1) + end
    for _ in range(MAX_EVENT_BYTES // len(piece)):
        assert reader.feed(piece) == []
    with pytest.raises(ValueError, match="too large"):
        reader.feed(piece)


def test_a_handle_keeps_a_bounded_number_of_answers(script):
    script.begin(account(), member(BO, "developer"))
    handle = checks(script).handle(BO, WRITE, account=ACCOUNT)
    for number in range(3 * MAX_ANSWERS):
        assert handle.check(Resource(f"i-{number}"))
        assert len(handle._answers) <= MAX_ANSWERS


def test_a_bounded_number_of_handles_is_kept(script):
    script.begin(account(), member(BO, "developer"))
    local = checks(script)
    for number in range(MAX_HANDLES + 1):
        local.check(BO, f"instance:{number}", account=ACCOUNT)
    assert len(local._handles) <= MAX_HANDLES


def object_key(policy_object):
    """A change tells each object once."""
    return policy_object if isinstance(policy_object, str) else policy_object.id


ROLES = st.sampled_from(["owner", "admin", "developer", "basic", "viewer", "unknown"])
USERS = st.sampled_from([ANA, BO, CY])
TIMES = st.sampled_from([None, *((NOON + timedelta(seconds=s)).isoformat() for s in (-1, 0, 1))])
STATUSES = st.sampled_from(["active", "suspended"])
GRANTS = st.sampled_from(
    [
        {},
        {"instance": {"view": "all"}},
        {"instance": {"write": "self"}},
        {"instance": {"view": CONDITIONAL}},
        {"no": {"such": "all"}},
    ]
)
CUSTOM = {"role_1": {"name": "R", "description": "", "grants": {"instance": {"view": BY_TEAM}}}}
OBJECTS = st.one_of(
    st.builds(
        lambda status, catalog, roles: account(status=status, catalog=catalog, roles=roles),
        st.sampled_from(["active", "suspended", "deleting"]),
        st.sampled_from([histories.STANDARD.id, histories.RUNPOD.id]),
        st.sampled_from([{}, CUSTOM]),
    ),
    st.builds(
        lambda user, role, status, ends, values: member(
            user, role, status=status, expires_at=ends, attributes=values
        ),
        USERS,
        st.one_of(ROLES, st.just("role_1")),
        STATUSES,
        TIMES,
        st.sampled_from([{}, {"team": "on"}, {"team": 1}]),
    ),
    st.builds(no_member, USERS),
    st.just(project()),
    st.just(project().model_copy(update={"state": None})),
    st.builds(
        lambda user, grants, ends, gone: override(
            user, grants, expires_at=ends, **({"membership_id": "mem_former"} if gone else {})
        ),
        USERS,
        GRANTS,
        TIMES,
        st.booleans(),
    ),
    st.builds(
        lambda owner, prod, gone, values: resource(
            owner_id=owner, project_id=PROD if prod else None, gone=gone, properties=values
        ),
        st.one_of(st.none(), USERS),
        st.booleans(),
        st.booleans(),
        st.sampled_from([{}, {"state": "on"}, {"state": "off"}]),
    ),
    st.just(account().model_copy(update={"state": None})),
    st.sampled_from(list(histories.CATALOGS)),
)
"""Objects of one account, and the ids of catalogs."""
HISTORIES = st.lists(st.lists(OBJECTS, min_size=1, max_size=3, unique_by=object_key), max_size=12)
QUESTIONS = [
    (user, permission, Resource(rid, owner, project_id))
    for user in (ANA, BO, CY)
    for permission in ("instance:view", WRITE, "member:view", "pods:view", "no:such")
    for rid in (None, "i-1")
    for owner in (None, BO)
    for project_id in (None, PROD)
]


@pytest.mark.rule("B6")
@settings(
    max_examples=length("HISTORIES", short=25, soak=1000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(history=HISTORIES, joined=st.integers(0, 13))
def test_local_mode_decides_as_a_replica_does_after_any_history(history, joined):
    """The stream is opened at any moment; then every change is applied to both."""
    replica, local = PolicyState(), LocalAccounts()
    replica.put([histories.catalog(histories.STANDARD.id)])
    for rev, objects in enumerate([[account()], *history], 1):
        change = [
            (histories.catalog(each) if isinstance(each, str) else each).model_copy(
                update={"rev": rev}
            )
            for each in objects
        ]
        if rev == joined + 1:
            _snapshot(replica, local)
        replica.put(change)
        if rev > joined:
            _told(local, [as_told(each) for each in change])
    if joined > len(history):
        _snapshot(replica, local)
    state, mirrored = replica.account(ACCOUNT), local.states.get(ACCOUNT)
    assert replica.incomplete(ACCOUNT) == local.incomplete(ACCOUNT)
    assert (state is None) == (mirrored is None)
    if state is not None and mirrored is not None:
        for user, permission, known in QUESTIONS:
            expected = decide(state, Subject(user), permission, known, now=NOW)
            found = decide(mirrored, Subject(user), permission, known, now=NOW)
            assert answer_of(found) == answer_of(expected), (user, permission, known)


def _snapshot(replica, local):
    catalogs = [
        told(PolicyObjectKind.CATALOG, each, each, {"content": content})
        for each in histories.CATALOGS
        if (content := replica.catalog_content(each)) is not None
    ]
    _told(
        local,
        [
            *catalogs,
            *(
                told(kind, object_id, account_id, state)
                for account_id in replica.account_ids()
                for kind, object_id, state in replica.objects(account_id)
            ),
        ],
    )


def _told(local, objects):
    written = json.loads(json.dumps(objects, default=lambda each: each.isoformat()))
    local.put(
        ToldObject(each["kind"], each["id"], each["account_id"], each["state"]) for each in written
    )


@pytest.mark.rule("B2")
def test_local_mode_never_decides_for_an_api_token(script):
    script.begin(account(), member(BO, "developer"))
    with pytest.raises(LeaseOverError, match="ask remotely"):
        checks(script).check(f"tok_{7:032x}", WRITE, account=ACCOUNT)
