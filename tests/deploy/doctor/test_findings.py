"""What the doctor finds in settings and answers, and how it tells it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deploy.configuration import Secrets
from deploy.doctor.credentials import check_credentials, check_settings, is_weak
from deploy.doctor.encryption import SeenCertificate, check_certificates, check_links, links_of
from deploy.doctor.findings import (
    Gravity,
    as_json,
    as_text,
    error,
    good,
    healthy,
    in_order,
    warning,
)
from deploy.doctor.peers import (
    KNOWN_GROUPS,
    LIMITS,
    SeenGateway,
    SeenPeer,
    check_bound,
    check_gateway,
    check_peers,
)
from deploy.doctor.run import internal_addresses
from deploy.doctor.servers import (
    SeenBroker,
    SeenDatabase,
    check_broker,
    check_database,
    check_disk,
)
from deploy.doctor.settings_seen import SettingsUnreadableError, see, variables_of
from tests.deploy.doctor.installation import variables

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def wrong(findings):
    """Gravity, area and text of everything that is not right."""
    return [
        (one.level.value, one.area, f"{one.where}: {one.what} {one.do}")
        for one in findings
        if one.level is not Gravity.OK
    ]


def of_settings(**changes):
    seen = see(variables(**changes))
    return [
        *check_settings(seen),
        *check_credentials(seen.services),
        *check_links(links_of(seen.services)),
    ]


def test_an_installation_that_is_right_has_no_finding():
    found = of_settings()
    assert wrong(found) == []
    assert {one.area for one in found} == {"settings", "credentials", "tls"}


FIRST, SECOND = (variables()[f"ROLECALL_{name}_LINK_KEY"] for name in ("IDENTITY", "TEAM"))
PATTERN = "0123456789abcdef" * 2
SETTINGS = {
    "a missing setting": ({"ROLECALL_TEAM_LINK_KEY": ""}, "error", "settings", "LINK_KEY"),
    "a misspelt one": (
        {"ROLECALL_TEAM_LEASE_SECOND": "3"},
        "error",
        "settings",
        "Did you mean ROLECALL_TEAM_LEASE_SECONDS?",
    ),
    "an admin key of an example": (
        {"ROLECALL_TEAM_ADMIN_KEY": PATTERN},
        "error",
        "credentials",
        "TEAM_ADMIN_KEY: This key follows a pattern",
    ),
    "a key in two services": (
        {"ROLECALL_TEAM_LINK_KEY": FIRST},
        "error",
        "credentials",
        "ROLECALL_IDENTITY_LINK_KEY, ROLECALL_TEAM_LINK_KEY: These settings have the same key",
    ),
    "a former key": (
        {"ROLECALL_TEAM_LINK_KEY": f"{SECOND},{Secrets.generate().team_link_key}"},
        "warning",
        "credentials",
        "This setting has 2 keys",
    ),
    "an internal key of two services": (
        {
            "ROLECALL_TEAM_INTERNAL_KEYS": json.dumps(
                dict.fromkeys(
                    ("audit", "authz"),
                    json.loads(variables()["ROLECALL_TEAM_INTERNAL_KEYS"])["audit"],
                )
            )
        },
        "error",
        "credentials",
        "audit, authz: each could speak as the other",
    ),
    "the broker's default user": (
        {"ROLECALL_TEAM_AMQP_URL": "amqp://guest:guest@127.0.0.1/"},
        "warning",
        "credentials",
        "default user",
    ),
    "a database without users": (
        {"ROLECALL_TEAM_MONGO_URL": "mongodb://mongo/?replicaSet=rs0"},
        "error",
        "credentials",
        "asked without a user",
    ),
    "a broker in another network": (
        {"ROLECALL_TEAM_AMQP_URL": "amqp://team:s3cret@10.0.0.7/"},
        "warning",
        "tls",
        "10.0.0.7 is not encrypted",
    ),
    "a broker on the internet": (
        {"ROLECALL_TEAM_AMQP_URL": "amqp://team:s3cret@8.8.8.8/"},
        "error",
        "tls",
        "8.8.8.8 is not encrypted",
    ),
    "a member of a replica set": (
        {"ROLECALL_TEAM_MONGO_URL": "mongodb://team:s3cret@mongo,db.example/?tls=false"},
        "warning",
        "tls",
        "db.example is not encrypted",
    ),
    "a database whose certificate is not checked": (
        {"ROLECALL_TEAM_MONGO_URL": "mongodb://team:s3cret@mongo/?tls=true&tlsInsecure=true"},
        "error",
        "tls",
        "not checked",
    ),
    "mails in clear": (
        {"ROLECALL_NOTIFICATION_SMTP_HOST": "smtp.example"},
        "warning",
        "tls",
        "smtp.example is not encrypted",
    ),
    "people without encryption": (
        {"ROLECALL_TEAM_PUBLIC_URL": "http://iam.example"},
        "error",
        "tls",
        "People reach the product without encryption",
    ),
}


@pytest.mark.parametrize(("changes", "level", "area", "text"), SETTINGS.values(), ids=SETTINGS)
def test_a_fault_of_the_settings_is_found(changes, level, area, text):
    found = wrong(of_settings(**changes))
    assert [one for one in found if one[:2] == (level, area) and text in one[2]], found
    assert not [one for one in found if "s3cret" in one[2] or FIRST in one[2]]


@pytest.mark.parametrize(
    "key",
    [PATTERN, "k7Qz2pL9xVw3mN8r" * 3, "abc" * 20, "".join(map(chr, range(48, 98))), "a1" * 30],
)
def test_a_key_with_a_pattern_is_weak(key):
    assert is_weak(key)


@pytest.mark.parametrize("name", [name for name in variables() if name.endswith("_KEY")])
def test_a_random_key_is_not_weak(name):
    assert not is_weak(variables()[name])


PEER = SeenPeer(service="team", url="http://team:8081", version="1", checks={"started": True})
PEERS = {
    "silent": ({"fault": "refused"}, "error", "services", "No answer: refused"),
    "not ready": ({"checks": {"identity": False}}, "error", "services", "Not ready: identity"),
    "without the bus": ({"informational": {"bus": False}}, "warning", "services", "without: bus"),
    "fast": ({"offset": timedelta(seconds=11)}, "error", "clock", "11 s ahead of"),
    "slow": ({"offset": timedelta(seconds=-3)}, "warning", "clock", "3 s behind"),
    "of another version": ({"version": "2"}, "warning", "versions", "several versions"),
}


@pytest.mark.parametrize(("changes", "level", "area", "text"), PEERS.values(), ids=PEERS)
def test_a_fault_of_a_service_is_found(changes, level, area, text):
    other = SeenPeer(service="audit", url="http://audit:8081", version="1")
    [one] = wrong(check_peers([other, replace(PEER, **changes)], own_version="1"))
    assert one[:2] == (level, area)
    assert text in one[2]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.metric)
def test_a_metric_is_wrong_above_its_limit(limit):
    at, above = (replace(PEER, metrics={limit.metric: limit.above + more}) for more in (0, 1))
    assert wrong(check_peers([at], own_version="1")) == []
    [one] = wrong(check_peers([above], own_version="1"))
    assert one[:2] == ("error" if limit.grave else "warning", limit.area)


@pytest.mark.parametrize(
    ("counts", "levels"),
    [((None, None), []), ((3, 3), ["ok"]), ((None, 3), ["warning"]), ((2, 3), ["warning"])],
)
def test_replicas_of_authz_that_know_other_groups_are_found(counts, levels):
    peers = [
        replace(PEER, service="authz", metrics={} if count is None else {KNOWN_GROUPS: count})
        for count in counts
    ]
    found = [one for one in check_peers(peers, own_version="1") if "groups" in one.what]
    assert [str(one.level) for one in found] == levels


def test_the_doctor_asks_the_replicas_of_every_group_of_authz():
    urls = '[["http://authz-1:8081"], ["http://authz-2:8081"]]'
    divided = variables(
        ROLECALL_AUTHZ_GROUP="2",
        ROLECALL_AUTHZ_GROUP_URLS=urls,
        ROLECALL_AUTHZ_GROUP_INTERNAL_URLS=urls,
    )
    services = see(divided, files=()).services
    asked = internal_addresses(services)
    assert {("authz", f"http://authz{end}:8081") for end in ("", "-1", "-2")} <= asked
    unencrypted = [link.host for link in links_of(services) if "GROUP" in link.name]
    assert unencrypted == ["authz-1", "authz-2"] * 2


def test_a_doctor_of_another_version_says_so():
    [one] = wrong(check_peers([PEER], own_version="2"))
    assert one[:2] == ("warning", "versions")


GATEWAYS = {
    "silent": ({"fault": "refused"}, "warning", "services"),
    "slow": ({"offset": timedelta(seconds=-60)}, "error", "clock"),
    "with an internal path": ({"open_paths": ["/metrics"]}, "error", "ports"),
    "beside an open database": ({"open_ports": {27017: "MongoDB"}}, "error", "ports"),
}


@pytest.mark.parametrize(("changes", "level", "area"), GATEWAYS.values(), ids=GATEWAYS)
def test_what_people_can_reach_and_should_not_is_found(changes, level, area):
    gateway = SeenGateway(url="https://iam.example")
    assert wrong(check_gateway(gateway)) == []
    [one] = wrong(check_gateway(replace(gateway, **changes)))
    assert one[:2] == (level, area)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_internal_port_on_every_network_is_found_outside_a_container(host):
    [one] = wrong(check_bound({"team": host, "audit": "127.0.0.1"}, in_container=False))
    assert one[:2] == ("warning", "ports")
    assert wrong(check_bound({"team": host}, in_container=True)) == []


DATABASE = SeenDatabase(
    service="team",
    name="rolecall_team",
    version="8.0.4",
    user="team",
    roles={"rolecall_team": ["readWrite"]},
    free=0.5,
    applied=29,
    known=29,
)
DATABASES = {
    "silent": ({"fault": "refused"}, "error", "services"),
    "with another clock": ({"offset": timedelta(seconds=20)}, "error", "clock"),
    "old": ({"version": "6.0.1"}, "warning", "versions"),
    "alone": ({"replica_set": False}, "error", "services"),
    "without users": ({"user": None, "roles": {}}, "warning", "permissions"),
    "without a right": ({"roles": {"rolecall_team": ["read"]}}, "error", "permissions"),
    "with all rights": ({"roles": {"admin": ["root"]}}, "warning", "permissions"),
    "of two services": (
        {"roles": {"rolecall_team": ["readWrite"], "rolecall_audit": ["readWrite"]}},
        "warning",
        "permissions",
    ),
    "nearly full": ({"free": 0.09}, "warning", "disk"),
    "full": ({"free": 0.01}, "error", "disk"),
    "before an update": ({"applied": 28}, "warning", "migrations"),
    "of a later version": ({"applied": 30}, "error", "migrations"),
}


@pytest.mark.parametrize(("changes", "level", "area"), DATABASES.values(), ids=DATABASES)
def test_a_fault_of_a_database_is_found(changes, level, area):
    assert wrong(check_database(DATABASE)) == []
    [one] = wrong(check_database(replace(DATABASE, **changes)))
    assert one[:2] == (level, area)


BROKER = SeenBroker(service="team", user="team", version="3.13.7")
BROKERS = {
    "silent": ({"fault": "refused"}, "error", "services"),
    "old": ({"version": "3.9.27"}, "warning", "versions"),
    "without a right": ({"lacking": ["publish to x"]}, "error", "permissions"),
    "with too many": ({"excess": ["declare an exchange"]}, "warning", "permissions"),
}


@pytest.mark.parametrize(("changes", "level", "area"), BROKERS.values(), ids=BROKERS)
def test_a_fault_of_a_broker_is_found(changes, level, area):
    assert wrong(check_broker(BROKER)) == []
    [one] = wrong(check_broker(replace(BROKER, **changes)))
    assert one[:2] == (level, area)


def test_a_disk_that_cannot_be_asked_is_not_found_full():
    assert list(check_disk("/", None)) == []


CERTIFICATES = {
    "refused": ({"fault": "certificate has expired"}, "error"),
    "soon over": ({"until": NOW + timedelta(days=20)}, "warning"),
}


@pytest.mark.parametrize(("seen", "level"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_certificate_that_is_not_accepted_soon_is_found(seen, level):
    fresh = SeenCertificate(where="b:1", until=NOW + timedelta(days=22))
    found = wrong(check_certificates(iter([fresh, SeenCertificate(where="a:1", **seen)]), now=NOW))
    assert [one[:2] for one in found] == [(level, "tls")]


FOUND = [
    good("disk", "/", "50% of its disk are free."),
    warning("clock", "team", "Slow.", "Set it."),
    error("tls", "audit", "In clear.", "Encrypt it."),
    warning("clock", "team", "Slow.", "Set it."),
]


def test_the_gravest_comes_first_and_what_is_right_is_only_counted():
    found = in_order(FOUND)
    assert as_text(found, all_of_them=False).splitlines() == [
        "error    tls    audit  In clear. Encrypt it.",
        "warning  clock  team   Slow. Set it.",
        "1 error, 1 warning, 1 check passed.",
    ]
    assert len(as_text(found, all_of_them=True).splitlines()) == 4
    assert as_text([FOUND[0]], all_of_them=False) == "0 errors, 0 warnings, 1 check passed."


def test_what_servers_say_commands_no_terminal():
    said = "1.0\x1b[2J\u202e\x9b"
    for one in (error("a", "b", said, "c"), error("a", said, "b", "c"), error("a", "b", "c", said)):
        for text in (as_text([one], all_of_them=True), as_json([one])):
            assert "1.0" in text
            assert all(sign.isprintable() or sign == "\n" for sign in text)
            assert "\\u001b" not in text


def test_programs_read_one_json_object():
    told = json.loads(as_json(in_order(FOUND)))
    assert told["healthy"] is False is healthy(FOUND)
    assert told["findings"][0] == {
        "level": "error",
        "area": "tls",
        "where": "audit",
        "what": "In clear.",
        "do": "Encrypt it.",
    }


def test_variables_are_read_from_files_as_compose_writes_them(tmp_path):
    first, second = tmp_path / "team.env", tmp_path / "other.env"
    first.write_text("# team\n\nROLECALL_TEAM_PORT=1\nexport A='x y'\n")
    second.write_text('ROLECALL_TEAM_PORT="2"\nURL=a?b=c\n')
    assert variables_of([first, second]) == {"ROLECALL_TEAM_PORT": "2", "A": "x y", "URL": "a?b=c"}
    second.write_text("no variable\n")
    with pytest.raises(SettingsUnreadableError, match="Line 1 of"):
        variables_of([second])
    with pytest.raises(SettingsUnreadableError, match="cannot be read"):
        variables_of([tmp_path / "missing"])


def test_a_file_that_others_can_read_is_found(tmp_path):
    file, secret = tmp_path / "team.env", tmp_path / "link_key"
    secret.write_text(FIRST)
    file.touch()
    file.chmod(0o640)
    secret.chmod(0o604)
    changes = {"ROLECALL_IDENTITY_LINK_KEY": "", "ROLECALL_IDENTITY_LINK_KEY_FILE": str(secret)}
    found = wrong(check_settings(see(variables(**changes), files=[file])))
    assert [one[2].partition(":")[0] for one in found] == [str(file), str(secret)]
    for path in (file, secret):
        path.chmod(0o600)
    assert wrong(check_settings(see(variables(**changes), files=[file]))) == []
