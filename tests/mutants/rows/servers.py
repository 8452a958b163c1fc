"""Mutants of the users that the services have at the broker and at the database."""

from tests.mutants.mutant import Kind, Mutant

BROKER = "deploy/broker.py"
BROKER_TESTS = ("tests/deploy/test_broker.py",)
COMPOSE = "docker-compose.yml"
COMPOSE_TESTS = ("tests/deploy/test_compose.py",)

ROWS = (
    Mutant(
        id="broker-writes-to-every-exchange",
        kind=Kind.SECURITY,
        file=BROKER,
        old='        "write": _one_of(own, *map(re.escape, exchanges)),\n',
        new='        "write": ".*",\n',
        tests=BROKER_TESTS,
    ),
    Mutant(
        id="broker-reads-every-queue",
        kind=Kind.SECURITY,
        file=BROKER,
        old='        "read": _one_of(own, *map(re.escape, sources)),\n',
        new='        "read": ".*",\n',
        tests=BROKER_TESTS,
    ),
    Mutant(
        id="broker-names-without-an-end",
        kind=Kind.SECURITY,
        file=BROKER,
        old='    own = f"{re.escape(queue.name)}(\\\\..+)?"\n',
        new='    own = f"{re.escape(queue.name)}.*"\n',
        tests=BROKER_TESTS,
    ),
    Mutant(
        id="broker-foreign-routing-keys",
        kind=Kind.SECURITY,
        file=BROKER,
        old='            "write": f"^{source}\\\\." if source == service else NOTHING,\n',
        new='            "write": f"^{source}\\\\.",\n',
        tests=BROKER_TESTS,
    ),
    Mutant(
        id="a-frozen-broker-counts-as-connected",
        kind=Kind.AVAILABILITY,
        file="shared/bus/rabbitmq_subscription.py",
        old="                await channel.set_qos(self._prefetch)\n",
        new="                await asyncio.sleep(0)\n",
        tests=("tests/shared/bus/test_rabbitmq.py", "-k", "frozen"),
    ),
    Mutant(
        id="an-outage-is-a-line-for-each-failure",
        kind=Kind.AVAILABILITY,
        file="shared/outage_log.py",
        old="        self._due_at = now + self._interval\n",
        new="",
        tests=("tests/shared/test_outage_log.py",),
    ),
    Mutant(
        id="a-polled-failure-is-a-line-each-time",
        kind=Kind.AVAILABILITY,
        file="shared/http/access_log.py",
        old="        self._written[answer] = now\n",
        new="",
        tests=("tests/shared/http/test_access_log.py",),
    ),
    Mutant(
        id="bus-source-from-a-header",
        kind=Kind.SECURITY,
        file="shared/row_verifier.py",
        old=" or message.source != sender",
        new="",
        tests=("tests/shared/test_row_verifier.py",),
    ),
    Mutant(
        id="database-user-of-every-database",
        kind=Kind.SECURITY,
        file="deploy/mongo.py",
        old='            roles = [{"role": "readWrite", "db": database}]\n',
        new='            roles = [{"role": "readWriteAnyDatabase", "db": "admin"}]\n',
        tests=("tests/deploy/test_mongo.py",),
    ),
    Mutant(
        id="compose-database-without-users",
        kind=Kind.SECURITY,
        file=COMPOSE,
        old="      - --keyFile\n      - /tmp/key\n",
        new="",
        tests=COMPOSE_TESTS,
    ),
    Mutant(
        id="compose-gateway-reaches-the-broker",
        kind=Kind.SECURITY,
        file=COMPOSE,
        old="      front: {}\n      outside: {}\n",
        new="      front: {}\n      broker: {}\n      outside: {}\n",
        tests=COMPOSE_TESTS,
    ),
    Mutant(
        id="compose-management-plugin",
        kind=Kind.SECURITY,
        file=COMPOSE,
        old="rabbitmq:4.3}",
        new="rabbitmq:4.3-management}",
        tests=COMPOSE_TESTS,
    ),
    Mutant(
        id="proxies-of-a-broad-network",
        kind=Kind.SECURITY,
        file="shared/networks.py",
        old="SHORTEST_PREFIX_IPV6 = 16",
        new="SHORTEST_PREFIX_IPV6 = 15",
        tests=("tests/shared/test_networks.py",),
    ),
)
