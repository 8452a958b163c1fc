"""The composition: the rights and networks of its containers, and the files that it is given."""

import json
import re
import stat
from dataclasses import replace
from itertools import pairwise

import pytest
import yaml

from deploy.broker import MAX_MESSAGE_BYTES
from deploy.compose import NGINX_IMAGE, ROOT, Compose
from deploy.compose_environment import (
    limits_factor_from_environment,
    parse_networks,
    port_from_environment,
    production_from_environment,
    project_from_environment,
)
from deploy.compose_files import BROKER_MEMORY_MIB
from deploy.documents import module
from deploy.gateway.limits import SIGN_INS
from deploy.gateway.nginx import RESOLVED_UPSTREAMS, WORKER_FILES
from deploy.gateway.paths import public_routes
from deploy.mongo import DATABASES
from deploy.production import Production
from deploy.programs.program import free_port
from services.console import settings as console_settings
from shared.contracts.topology import Service
from shared.networks import PRIVATE_NETWORKS
from shared.runtime.environment import load
from shared.runtime.settings import StatelessSettings

FILE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
MIGRATIONS = {f"migrate-{service}": service for service in DATABASES}
OURS = (*Service, *MIGRATIONS, "console", "mongo-setup", "mail", "gateway")
SERVES = {"front", "services", "broker", "database"}
NETWORKS = {
    "gateway": {"front", "pages", "outside"},
    "identity": SERVES | {"issuers"},
    "team": SERVES,
    "audit": SERVES | {"streams"},
    "authz": SERVES - {"database"},
    "notification": SERVES | {"mails", "webhooks"},
    "console": {"pages"},
    "mail": {"mails", "outside"},
    "rabbitmq": {"broker"},
    "mongo": {"database"},
    **{key: {"database"} for key in MIGRATIONS},
}
"""The networks of each container. mongo-setup has that of the database itself."""
OUTSIDE = {"outside", "webhooks", "streams", "issuers"}
"""The networks with a route to the outside."""
PUBLISHED = ("gateway", "mail")
READABLE = ("gateway", "broker")
"""The folders of files without a secret, which programs read as other users."""
IMAGES = {
    "mongo-setup": ("PYTHON_IMAGE", "python:3.11-slim"),
    "rabbitmq": ("RABBITMQ_IMAGE", "rabbitmq:4.3"),
    "mongo": ("MONGO_IMAGE", "mongo:8.0"),
    "gateway": ("NGINX_IMAGE", "nginx:1.30"),
}
CAPABILITIES = {"mongo": {"CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"}}
"""What the entrypoint of an image needs before it becomes another user."""
UNITS = {"m": 1, "g": 1024}
SERVER = re.compile(r"(listen|set_real_ip_from) ([^;]+);")


def prepared(folder):
    made = Compose(project="test", folder=folder / "files", port=1234, mail_port=1235)
    made.prepare()
    return made


@pytest.fixture(scope="module")
def compose(tmp_path_factory):
    """A composition whose files no test changes: to write them takes half a second."""
    return prepared(tmp_path_factory.mktemp("compose"))


@pytest.mark.parametrize("service", OURS)
def test_a_container_has_no_more_rights_than_it_needs(service):
    row = FILE["services"][service]
    assert row["user"] == "10001:10001"
    assert row["read_only"] is True
    assert row["tmpfs"] == ["/tmp"]


@pytest.mark.parametrize("service", FILE["services"])
def test_a_container_gains_no_privilege_and_few_capabilities(service):
    row = FILE["services"][service]
    assert row["cap_drop"] == ["ALL"]
    assert set(row.get("cap_add", ())) == CAPABILITIES.get(service, set())
    assert row["security_opt"] == ["no-new-privileges:true"]
    assert not any("privileged" in name for name in row)
    assert "user" in row or service in CAPABILITIES


def mebibytes(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]]


@pytest.mark.parametrize("service", FILE["services"])
def test_a_container_has_limits_on_memory_processes_files_and_logs(service):
    row = FILE["services"][service]
    assert 256 <= mebibytes(row["mem_limit"]) <= 2048
    assert 256 <= row["pids_limit"] <= 4096
    # An engine whose own limit is lower does not start the container.
    assert 8192 <= row["ulimits"]["nofile"] <= 16384
    log = row["logging"]
    assert log["driver"] == "json-file"
    assert mebibytes(log["options"]["max-size"]) * int(log["options"]["max-file"]) <= 50


def test_checks_have_processor_time_when_other_containers_are_busy():
    rows = FILE["services"]
    shares = {name: row.get("cpu_shares", 1024) for name, row in rows.items()}
    assert {name for name, share in shares.items() if share == 4096} == {"authz", "gateway"}
    assert set(shares.values()) == {1024, 4096}


def test_each_server_keeps_below_the_memory_and_files_of_its_container(compose):
    rows = FILE["services"]
    assert 0.6 * mebibytes(rows["rabbitmq"]["mem_limit"]) > BROKER_MEMORY_MIB
    limit = f"vm_memory_high_watermark.absolute = {BROKER_MEMORY_MIB}MiB"
    assert limit in (compose.folder / "broker" / "rabbitmq.conf").read_text()
    options = dict(pairwise(rows["mongo"]["command"]))
    cache = 1024 * float(options["--wiredTigerCacheSizeGB"])
    assert cache < 0.5 * mebibytes(rows["mongo"]["mem_limit"])
    assert rows["gateway"]["ulimits"]["nofile"] > WORKER_FILES


def test_each_server_keeps_its_name_when_its_container_is_replaced():
    assert FILE["services"]["rabbitmq"]["hostname"] == "rabbitmq"
    assert FILE["services"]["mongo"]["hostname"] == "mongo"


def test_the_volume_of_the_broker_belongs_to_one_series_of_its_image():
    series = IMAGES["rabbitmq"][1].removeprefix("rabbitmq:")
    mounted = [each.split(":")[0] for each in FILE["services"]["rabbitmq"]["volumes"]]
    assert f"broker-{series}" in mounted
    assert set(FILE["volumes"]) == {f"broker-{series}", "mongo", "checkpoints"}


@pytest.mark.parametrize("service", FILE["services"])
def test_only_the_gateway_and_mail_page_are_published_on_loopback(service):
    row = FILE["services"][service]
    assert ("ports" in row) is (service in PUBLISHED)
    loopback = ("127.0.0.1:", "${LISTEN_ADDRESS:-127.0.0.1}:")
    assert all(port.startswith(loopback) for port in row.get("ports", ()))


def test_a_container_has_only_the_networks_that_it_needs():
    rows = dict(FILE["services"])
    setup = rows.pop("mongo-setup")
    assert (setup["network_mode"], "networks" in setup) == ("service:mongo", False)
    assert {name: set(row["networks"]) for name, row in rows.items()} == NETWORKS
    assert not any("network_mode" in row for row in rows.values())


@pytest.mark.parametrize("server", ["rabbitmq", "mongo"])
def test_neither_gateway_nor_mail_catcher_has_a_network_of_a_server(server):
    for stranger in PUBLISHED:
        assert not NETWORKS[stranger] & NETWORKS[server]


@pytest.mark.parametrize("service", [name for name, routes in public_routes().items() if routes])
def test_the_gateway_reaches_each_service_with_public_routes(service):
    assert NETWORKS["gateway"] & NETWORKS[service] - OUTSIDE


def test_only_named_networks_have_a_route_to_the_outside():
    networks = dict(FILE["networks"])
    assert {name for name, network in networks.items() if not network} == OUTSIDE
    assert set(networks) == set().union(*NETWORKS.values())
    assert all(networks[name]["internal"] is True for name in set(networks) - OUTSIDE)


@pytest.mark.parametrize("network", ["webhooks", "issuers"])
def test_a_service_that_calls_strangers_is_alone_on_that_network(network):
    assert len([name for name, networks in NETWORKS.items() if network in networks]) == 1


def test_the_broker_has_no_plugin_no_guest_and_every_user(compose):
    image = FILE["services"]["rabbitmq"]["image"]
    assert "management" not in image
    files = compose.folder / "broker"
    assert (files / "enabled_plugins").read_text() == "[].\n"
    assert "load_definitions" in (files / "rabbitmq.conf").read_text()
    assert f"max_message_size = {MAX_MESSAGE_BYTES}" in (files / "rabbitmq.conf").read_text()
    given = json.loads((files / "definitions.json").read_text())
    assert {user["name"] for user in given["users"]} == set(Service)
    passwords = json.loads((compose.folder / "broker.json").read_text())
    text = (files / "definitions.json").read_text()
    assert not any(password in text for password in passwords.values())


def test_the_database_asks_every_client_who_it_is(compose):
    command = FILE["services"]["mongo"]["command"]
    assert ("--keyFile", "/tmp/key") in list(pairwise(command))
    key = (compose.folder / "mongo" / "key").read_text().strip()
    assert len(key) >= 48
    assert key in json.loads((compose.folder / "database.json").read_text()).values()


@pytest.mark.parametrize(("service", "expected"), IMAGES.items())
def test_each_base_image_is_of_a_pinned_series_and_can_be_replaced(service, expected):
    row, (variable, image) = FILE["services"][service], expected
    given = row["build"]["args"][variable] if "build" in row else row["image"]
    assert given == f"${{{variable}:-{image}}}"


def test_the_gateway_is_configured_for_the_nginx_of_its_image(compose, tmp_path):
    assert IMAGES["gateway"][1] == NGINX_IMAGE
    modern = (compose.folder / "gateway" / "nginx.conf").read_text()
    assert compose.nginx_version >= RESOLVED_UPSTREAMS
    assert "server team:8080 resolve max_fails=0;" in modern
    old = replace(compose, folder=tmp_path / "old", nginx_image="registry:5000/nginx:1.26-alpine")
    old.prepare()
    assert "resolve " not in (old.folder / "gateway" / "nginx.conf").read_text()
    assert old.variables["NGINX_IMAGE"] == old.nginx_image


@pytest.mark.parametrize(
    "image", ["nginx", "nginx:stable", "registry:5000/nginx", "nginx@sha256:1"]
)
def test_an_image_of_nginx_without_a_version_is_refused(tmp_path, image):
    unknown = Compose(project="x", folder=tmp_path, port=1, mail_port=2, nginx_image=image)
    with pytest.raises(SystemExit, match="NGINX_IMAGE is not valid"):
        unknown.prepare()


def test_every_service_has_a_container_that_waits_for_its_migrations_only():
    assert set(FILE["services"]) == {*OURS, "rabbitmq", "mongo"}
    waits = {
        name: row["depends_on"] for name, row in FILE["services"].items() if "depends_on" in row
    }
    ended = {"condition": "service_completed_successfully"}
    assert waits == {
        **{key: {"mongo-setup": ended} for key in MIGRATIONS},
        **{service: {name: ended} for name, service in MIGRATIONS.items()},
    }


@pytest.mark.parametrize(("name", "service"), MIGRATIONS.items())
def test_migrations_run_with_the_settings_of_their_service(name, service):
    """Without `--contract`, because replicas of the version before still run."""
    row, own = FILE["services"][name], FILE["services"][service]
    assert row["command"] == ["python", "-m", "deploy.migrate", service]
    assert row["env_file"] == own["env_file"]
    assert row["restart"] == "on-failure"
    production = yaml.safe_load((ROOT / "docker-compose.production.yml").read_text())["services"]
    assert production[name]["volumes"] == production[service]["volumes"]


@pytest.mark.parametrize("service", tuple(Service))
def test_every_service_gets_settings_that_it_accepts(compose, service, monkeypatch):
    for line in (compose.folder / f"{service}.env").read_text().splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    settings = load(module(service, "settings").Settings)
    assert isinstance(settings, StatelessSettings)
    assert settings.public_url == "http://localhost:1234"
    assert set(settings.internal_urls) == set(Service)


def test_team_gets_the_catalog_that_the_environment_of_make_up_names():
    assert FILE["services"]["team"]["environment"] == {"ROLECALL_TEAM_PERSONAL_CATALOG": None}


@pytest.mark.parametrize("service", tuple(Service))
def test_a_service_is_given_no_secret_of_another(compose, service):
    given = json.loads((compose.folder / "secrets.json").read_text())
    text = (compose.folder / f"{service}.env").read_text()
    for other in Service:
        assert (given["private_keys"][other] in text) is (other == service)
        for file in ("broker.json", "database.json"):
            password = json.loads((compose.folder / file).read_text()).get(other)
            expected = other == service and (service, file) != (Service.AUTHZ, "database.json")
            assert password is None or (password in text) is expected
        for kind in ("link_key", "refresh_key", "sealing_key", "checkpoint_key", "stream_key"):
            secret = given.get(f"{other}_{kind}")
            assert secret is None or (secret in text) is (other == service)


def test_the_console_has_the_key_of_its_cookies_and_no_other_secret(compose):
    given = json.loads((compose.folder / "secrets.json").read_text())
    text = (compose.folder / "console.env").read_text()
    for name, secret in given.items():
        texts = secret.values() if isinstance(secret, dict) else [secret]
        assert any(one in text for one in texts) is (name == "console_cookie_key"), name
    for service in Service:
        assert given["console_cookie_key"] not in (compose.folder / f"{service}.env").read_text()


def test_the_console_gets_settings_that_it_accepts(compose, monkeypatch):
    for line in (compose.folder / "console.env").read_text().splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    settings = load(console_settings.Settings)
    assert settings.public_url == "http://localhost:1234"
    listened = (compose.folder / "gateway" / "nginx.conf").read_text()
    assert f"listen {settings.api_url.removeprefix('http://')};" in listened


@pytest.mark.rule("T18")
def test_no_container_but_the_console_can_name_visitors_to_the_gateway(compose):
    rows = FILE["services"]
    [(network, row)] = [
        each for each in rows["gateway"]["networks"].items() if "aliases" in each[1]
    ]
    assert {name for name, nets in NETWORKS.items() if network in nets} == {"console", "gateway"}
    # Without an address of its own on the bridge, no process of the host can connect either.
    options = FILE["networks"][network]["driver_opts"]
    assert options == {"com.docker.network.bridge.inhibit_ipv4": "true"}
    servers = (compose.folder / "gateway" / "nginx.conf").read_text().split("  server {")[1:]
    assert [SERVER.findall(text) for text in servers] == [
        [("listen", "8080")],
        [
            ("listen", f"{row['aliases'][0]}:8082"),
            *(("set_real_ip_from", trusted) for trusted in PRIVATE_NETWORKS),
        ],
    ]


PRODUCTION = Production(
    smtp_host="smtp.example",
    smtp_port="465",
    smtp_security="tls",
    mail_from="iam@example.com",
    smtp_username="rolecall",
    smtp_password="of the mail server",
)
WITH_SECRETS = ("secrets.json", "broker.json", "database.json")
ADDED = yaml.safe_load((ROOT / "docker-compose.production.yml").read_text())["services"]


def put_into_production(trial):
    made = replace(trial, production=PRODUCTION, public_url="https://iam.example")
    made.prepare()
    return made


@pytest.fixture(scope="module")
def production(tmp_path_factory):
    """A composition in production, after it was on trial; no test changes it."""
    return put_into_production(prepared(tmp_path_factory.mktemp("production")))


def variables_of(compose, service):
    lines = (compose.folder / f"{service}.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def in_container(compose, service, path):
    """The file of this machine that a container has at a path, by its volumes."""
    [volume] = ADDED[service]["volumes"]
    source, target, mode = volume.replace(":-", "").rsplit(":", 2)
    assert mode == "ro"
    folder = compose.folder / source.rpartition("}/")[2]
    return folder / path.removeprefix(f"{target}/")


@pytest.mark.parametrize("service", [*Service, "console"])
def test_in_production_each_secret_is_a_file_of_its_service(production, service, monkeypatch):
    given = variables_of(production, service)
    for name, value in given.items():
        monkeypatch.setenv(
            name, str(in_container(production, service, value)) if name.endswith("_FILE") else value
        )
    settings = load(module(service, "settings").Settings)
    secrets = production.folder / "secrets"
    assert settings.public_url == "https://iam.example"
    assert {each.name for each in (secrets / service).iterdir()} == {
        value.rpartition("/")[2] for name, value in given.items() if name.endswith("_FILE")
    }
    for file in (secrets / service).iterdir():
        assert file.read_text().strip() not in (production.folder / f"{service}.env").read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700


def test_in_production_no_variable_of_a_container_is_a_secret(production):
    files = [json.loads((production.folder / name).read_text()) for name in WITH_SECRETS]
    secrets = {PRODUCTION.smtp_password}
    for given in files:
        for name, value in given.items():
            if "public" not in name:
                secrets.update(value.values() if isinstance(value, dict) else [value])
    assert len(secrets) > 20
    for file in production.folder.glob("*.env"):
        text = file.read_text()
        assert not [secret for secret in secrets if secret in text], file.name


def test_in_production_the_passwords_of_the_database_are_a_file(production):
    given = variables_of(production, "mongo-setup")
    file = in_container(production, "mongo-setup", given["MONGO_PASSWORDS_FILE"])
    passwords = json.loads((production.folder / "database.json").read_text())
    assert json.loads(file.read_text()).items() <= passwords.items()
    assert set(given) == {"MONGO_PASSWORDS_FILE"}


def test_in_production_operators_find_their_key_in_a_file(production):
    for service in ("identity", "team"):
        given = variables_of(production, service)
        file = in_container(production, service, given["ROLECALL_ADMIN_KEY_FILE"])
        secrets = json.loads((production.folder / "secrets.json").read_text())
        assert file.read_text().strip() == secrets["admin_key"]


def test_in_production_mails_go_to_the_mail_server(production):
    given = variables_of(production, "notification")
    named = {"HOST": "smtp.example", "PORT": "465", "SECURITY": "tls", "USERNAME": "rolecall"}
    for name, value in named.items():
        assert given[f"ROLECALL_NOTIFICATION_SMTP_{name}"] == value
    assert given["ROLECALL_NOTIFICATION_MAIL_FROM"] == "iam@example.com"
    assert ADDED["mail"] == {"profiles": ["trial"]}


def test_production_publishes_the_gateway_alone():
    assert not any("ports" in row for row in ADDED.values())
    published = {name for name, row in FILE["services"].items() if "ports" in row}
    assert published - {name for name, row in ADDED.items() if row.get("profiles")} == {"gateway"}


def test_a_return_to_a_trial_names_no_file_beside_a_value(tmp_path):
    trial = prepared(tmp_path)
    before = variables_of(trial, "team")
    put_into_production(trial)
    trial.prepare()
    assert variables_of(trial, "team") == before


def test_production_reads_its_files_of_compose_and_the_operators_own(production):
    words = production.told_command("ps").split()
    assert words[-5:] == ["-f", "docker-compose.yml", "-f", "docker-compose.production.yml", "ps"]


def test_compositions_of_two_projects_share_neither_name_nor_image(compose):
    other = replace(compose, project="second")
    for name in ("data_volume", "told_command"):
        first, second = (getattr(each, name) for each in (compose, other))
        assert first != second
    assert other.variables["ROLECALL_IMAGE"] == "second-services"
    assert (
        FILE["x-service"]["image"] == "${ROLECALL_IMAGE:-rolecall-services}:${IMAGE_VERSION:-local}"
    )


@pytest.mark.parametrize("name", ["Rolecall", "-x", "a b", "x" * 64, "../x"])
def test_a_name_that_compose_would_refuse_is_refused(monkeypatch, name):
    monkeypatch.setenv("ROLECALL_PROJECT", name)
    with pytest.raises(SystemExit, match="ROLECALL_PROJECT is not valid"):
        project_from_environment()


def test_production_says_all_that_it_needs(monkeypatch, tmp_path):
    for name in ("PUBLIC_URL", "SMTP_HOST", "MAIL_FROM", "PRODUCTION", "SMTP_USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert production_from_environment() is None
    monkeypatch.setenv("PRODUCTION", "1")
    monkeypatch.setenv("SMTP_SECURITY", "maybe")
    monkeypatch.setenv("SMTP_PASSWORD_FILE", str(tmp_path / "missing"))
    with pytest.raises(SystemExit) as refused:
        production_from_environment()
    for name in ("SMTP_HOST", "MAIL_FROM", "PUBLIC_URL", "SMTP_SECURITY", "SMTP_PASSWORD_FILE"):
        assert name in str(refused.value)
    (tmp_path / "missing").write_text("of the mail server\n")
    monkeypatch.setenv("PUBLIC_URL", "https://iam.example")
    monkeypatch.setenv("SMTP_HOST", "smtp.example")
    monkeypatch.setenv("MAIL_FROM", "iam@example.com")
    monkeypatch.setenv("SMTP_SECURITY", "tls")
    monkeypatch.setenv("SMTP_PORT", "465")
    monkeypatch.setenv("SMTP_USERNAME", "rolecall")
    assert production_from_environment() == PRODUCTION


def test_both_forms_of_compose_read_the_same_variables(compose):
    for file in compose.folder.glob("*.env"):
        for line in file.read_text().splitlines():
            assert re.fullmatch(r"[A-Z_]+=[^\s'\"$#][^$#']*", line), file.name


def test_only_the_owner_can_read_files_with_secrets(compose):
    files = [path for path in compose.folder.rglob("*") if path.is_file()]
    assert len(files) > len(Service)
    for path in files:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o644 if path.parent.name in READABLE else 0o600), path.name
    for name in READABLE:
        assert stat.S_IMODE((compose.folder / name).stat().st_mode) == 0o755


def test_the_gateway_is_given_no_secret(compose):
    given = json.loads((compose.folder / "secrets.json").read_text())
    keys = [value for name, value in given.items() if name.endswith("_key")]
    values = [*keys, *given["private_keys"].values()]
    assert len(values) > len(Service)
    for path in (compose.folder / "gateway").iterdir():
        text = path.read_text()
        assert not any(value in text for value in values)


def test_a_second_preparation_keeps_secrets_and_follows_the_port(tmp_path):
    compose = prepared(tmp_path)
    before = {path.name: path.read_text() for path in compose.folder.glob("*.env")}
    Compose(project="test", folder=compose.folder, port=4321, mail_port=1235).prepare()
    after = {path.name: path.read_text() for path in compose.folder.glob("*.env")}
    assert after == {
        name: text.replace("localhost:1234", "localhost:4321") for name, text in before.items()
    }
    assert before["mongo-setup.env"] == after["mongo-setup.env"]


def test_the_files_contain_the_load_balancers_and_the_public_address(tmp_path):
    url = "https://iam.example.com"
    Compose(
        project="test",
        folder=tmp_path,
        port=1234,
        mail_port=1235,
        public_url=url,
        proxies=parse_networks("10.1.0.0/16, 192.0.2.7"),
        limits_factor=3,
    ).prepare()
    gateway = (tmp_path / "gateway" / "nginx.conf").read_text()
    assert "set_real_ip_from 10.1.0.0/16;" in gateway
    assert "set_real_ip_from 192.0.2.7/32;" in gateway
    assert f"zone=sign_ins_rate:4m rate={3 * SIGN_INS.per_minute}r/m;" in gateway
    assert f"burst={3 * SIGN_INS.burst} delay={3 * SIGN_INS.undelayed}; " in gateway
    assert f"limit_conn sign_ins {3 * SIGN_INS.at_once};" in gateway
    assert f"ROLECALL_IDENTITY_PUBLIC_URL={url}\n" in (tmp_path / "identity.env").read_text()


@pytest.mark.parametrize(
    "text",
    ["nonsense", "10.1.0.0/16, 10.1.0.0/99", "10.1.0.0/16; evil", "0.0.0.0/0", "10.1.0.0/16 ::/0"],
)
def test_a_list_of_load_balancers_that_is_not_valid_is_refused(text):
    with pytest.raises(SystemExit, match="TRUSTED_PROXIES is not valid"):
        parse_networks(text)


@pytest.mark.parametrize("text", ["abc", "0", "1001", "-1", "1.5"])
def test_a_factor_of_limits_that_is_not_valid_is_refused(monkeypatch, text):
    monkeypatch.setenv("LIMITS_FACTOR", text)
    with pytest.raises(SystemExit, match="LIMITS_FACTOR is not valid"):
        limits_factor_from_environment()


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_not_valid_is_refused(monkeypatch, text):
    monkeypatch.setenv("MAIL_PORT", text)
    with pytest.raises(SystemExit, match="MAIL_PORT is not valid"):
        port_from_environment("MAIL_PORT", 8025)


@pytest.mark.parametrize(("text", "meant"), [("", 8025), ("9025", 9025)])
def test_a_port_comes_from_its_variable_or_is_the_default(monkeypatch, text, meant):
    monkeypatch.setenv("MAIL_PORT", text)
    assert port_from_environment("MAIL_PORT", 8025) == meant


def test_a_service_that_does_not_answer_is_named(tmp_path):
    silent = Compose(
        project="test",
        folder=tmp_path,
        port=free_port(),
        mail_port=free_port(),
        ready_seconds=0,
    )
    expected = ["identity", "team", "authz", "notification", "audit", "console"]
    assert silent.await_answers() == expected
