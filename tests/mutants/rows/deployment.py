"""Mutants of the gateway, the composition and the programs that the product runs on."""

from tests.mutants.mutant import Kind, Mutant

GATEWAY = "deploy/gateway/nginx.py"
COMPOSE = "docker-compose.yml"
LIMITS = ("tests/deploy/gateway/test_limits.py",)
COMPOSITION = ("tests/deploy/test_composition_limits.py",)
PROXIES = ("tests/deploy/test_trusted_proxies.py",)

ROWS = (
    Mutant(
        id="gateway-header-timeout",
        kind=Kind.LIMIT,
        file=GATEWAY,
        old="  client_header_timeout {head_seconds}s;\n",
        new="",
        tests=LIMITS,
    ),
    Mutant(
        id="gateway-body-timeout",
        kind=Kind.LIMIT,
        file=GATEWAY,
        old="  client_body_timeout {body_seconds}s;\n",
        new="",
        tests=LIMITS,
    ),
    Mutant(
        id="gateway-head-seconds",
        kind=Kind.LIMIT,
        file=GATEWAY,
        old="HEAD_SECONDS = 10\n",
        new="HEAD_SECONDS = 100\n",
        tests=LIMITS,
    ),
    Mutant(
        id="gateway-version-shown",
        kind=Kind.SECURITY,
        file=GATEWAY,
        old="  server_tokens off;\n",
        new="",
        tests=LIMITS,
    ),
    Mutant(
        id="gateway-replica-shunned",
        kind=Kind.AVAILABILITY,
        file=GATEWAY,
        old=" max_fails=0;",
        new=";",
        tests=LIMITS,
    ),
    Mutant(
        id="gateway-crowd-unlimited",
        kind=Kind.LIMIT,
        file=GATEWAY,
        old="\n  {users}\n",
        new="\n",
        tests=("tests/deploy/gateway/test_nginx.py", "-k", "limited_number"),
    ),
    Mutant(
        id="gateway-believes-sender",
        kind=Kind.SECURITY,
        file=GATEWAY,
        old="proxy_set_header X-Forwarded-For $remote_addr;",
        new="proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        tests=("tests/deploy/gateway/test_nginx.py", "-k", "sent_a_request or sender"),
    ),
    Mutant(
        id="gateway-repeats-effects",
        kind=Kind.DATA,
        file=GATEWAY,
        old="  proxy_next_upstream error timeout;\n",
        new="  proxy_next_upstream error timeout http_503 non_idempotent;\n",
        tests=("tests/deploy/gateway/test_nginx.py", "-k", "effect"),
    ),
    Mutant(
        id="gateway-body-cap",
        kind=Kind.LIMIT,
        file=GATEWAY,
        old="  client_max_body_size {max_body_bytes};\n",
        new="",
        tests=("tests/deploy/gateway/test_nginx.py", "-k", "above_the_cap"),
    ),
    Mutant(
        id="mongod-transaction-lifetime",
        kind=Kind.AVAILABILITY,
        file="deploy/programs/mongodb.py",
        old='*("--setParameter", f"transactionLifetimeLimitSeconds={_TRANSACTION_SECONDS}"),',
        new="",
        tests=COMPOSITION,
    ),
    Mutant(
        id="local-transaction-lifetime",
        kind=Kind.AVAILABILITY,
        file="deploy/programs/mongodb.py",
        old="_TRANSACTION_SECONDS = 5\n",
        new="_TRANSACTION_SECONDS = 60\n",
        tests=COMPOSITION,
    ),
    Mutant(
        id="compose-transaction-lifetime",
        kind=Kind.AVAILABILITY,
        file=COMPOSE,
        old="      - --setParameter\n      - transactionLifetimeLimitSeconds=5\n",
        new="",
        tests=COMPOSITION,
    ),
    Mutant(
        id="compose-stop-grace",
        kind=Kind.AVAILABILITY,
        file=COMPOSE,
        old="  stop_grace_period: 20s\n",
        new="",
        tests=COMPOSITION,
    ),
    Mutant(
        id="compose-network-open",
        kind=Kind.SECURITY,
        file=COMPOSE,
        old="  database:\n    internal: true\n",
        new="  database: {}\n",
        tests=("tests/deploy/test_compose.py",),
    ),
    Mutant(
        id="compose-trusts-everyone",
        kind=Kind.SECURITY,
        file="shared/networks.py",
        old='*("127.0.0.0/8", "10.0.0.0/8", ',
        new='*("127.0.0.0/8", "0.0.0.0/0", ',
        tests=PROXIES,
    ),
    Mutant(
        id="compose-accepts-every-proxy",
        kind=Kind.SECURITY,
        file="deploy/compose.py",
        old="        check_trusted_networks(found)\n",
        new="",
        tests=PROXIES,
    ),
    Mutant(
        id="service-accepts-every-proxy",
        kind=Kind.SECURITY,
        file="shared/runtime/settings.py",
        old="        check_trusted_networks(networks)\n",
        new="",
        tests=PROXIES,
    ),
    Mutant(
        id="mapped-proxies-are-unbounded",
        kind=Kind.SECURITY,
        file="shared/networks.py",
        old="    if network.overlaps(_MAPPED):\n",
        new="    if network.prefixlen == 0:\n",
        tests=PROXIES,
    ),
    Mutant(
        id="proxies-unbounded-together",
        kind=Kind.SECURITY,
        file="shared/networks.py",
        old="    if ipv4_size > 2**31 or",
        new="    if",
        tests=PROXIES,
    ),
    Mutant(
        id="internal-routes-open-after-the-waiting",
        kind=Kind.AVAILABILITY,
        file="shared/runtime/service.py",
        old="        self.internal.closed = False\n        for step in self._joins:\n"
        "            await open_step(step, seconds=self._timeouts.start)\n",
        new="        for step in self._joins:\n"
        "            await open_step(step, seconds=self._timeouts.start)\n"
        "        self.internal.closed = False\n",
        tests=("tests/shared/runtime/test_service.py",),
    ),
    Mutant(
        id="service-internal-port-closes-first",
        kind=Kind.AVAILABILITY,
        file="shared/runtime/service.py",
        old='for name in ("public", "internal"):\n            if name == "internal":\n',
        new='for name in ("internal", "public"):\n            if name == "public":\n',
        tests=("tests/shared/runtime/test_service.py", "-k", "reported_to"),
    ),
)
