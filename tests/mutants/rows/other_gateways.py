"""Mutants of the rules for Traefik and Envoy, of the chart, and of the Secrets that it names."""

from tests.mutants.mutant import Kind, Mutant

TRAEFIK = "deploy/gateway/traefik.py"
ENVOY = "deploy/gateway/envoy.py"
FILTERS = "deploy/gateway/envoy_filters.py"
RULES = "deploy/gateway/rules.py"
FILES = ("tests/deploy/gateway/test_other_files.py",)

ROWS = (
    Mutant(
        id="other-gateways-keep-what-flows",
        kind=Kind.DATA,
        file=RULES,
        old="            streams=path in streams or path in large,\n",
        new="            streams=False,\n",
        tests=FILES,
    ),
    Mutant(
        id="other-gateways-repeat-what-changes-something",
        kind=Kind.CONSISTENCY,
        file=RULES,
        old='frozenset({"POST", "PATCH"})',
        new="frozenset()",
        tests=FILES,
    ),
    Mutant(
        id="other-gateways-pass-a-forged-request-id",
        kind=Kind.SECURITY,
        file=RULES,
        old='    "Rolecall-Request-ID",\n',
        new="",
        tests=FILES,
    ),
    Mutant(
        id="traefik-passes-what-senders-claim",
        kind=Kind.SECURITY,
        file=TRAEFIK,
        old='dict.fromkeys(DROPPED_FIELDS, "")',
        new="{}",
        tests=FILES,
    ),
    Mutant(
        id="traefik-takes-encoded-slashes",
        kind=Kind.SECURITY,
        file=TRAEFIK,
        old='{f"allowEncoded{name}": False for name in ENCODED}',
        new='{f"allowEncoded{name}": True for name in ENCODED}',
        tests=FILES,
    ),
    Mutant(
        id="traefik-has-no-order-among-patterns",
        kind=Kind.DATA,
        file=TRAEFIK,
        old="priority = FIRST_PRIORITY + 2 * depth",
        new="priority = FIRST_PRIORITY",
        tests=FILES,
    ),
    Mutant(
        id="traefik-loses-a-router-of-the-same-name",
        kind=Kind.DATA,
        file=TRAEFIK,
        old="*([str(size)] if size != MAX_BODY_BYTES else []),",
        new="",
        tests=FILES,
    ),
    Mutant(
        id="traefik-counts-no-token",
        kind=Kind.LIMIT,
        file=TRAEFIK,
        old='            chain = ["fields", "rate-tokens", *chain]\n',
        new='            chain = ["fields", *chain]\n',
        tests=FILES,
    ),
    Mutant(
        id="envoy-passes-the-address-that-a-sender-claims",
        kind=Kind.SECURITY,
        file=FILTERS,
        old='*(() if trusted else ("X-Forwarded-For",))',
        new="*()",
        tests=FILES,
    ),
    Mutant(
        id="envoy-takes-orders-from-senders",
        kind=Kind.SECURITY,
        file=FILTERS,
        old='{"prefix": "x-envoy-"}',
        new='{"prefix": "x-other-"}',
        tests=FILES,
    ),
    Mutant(
        id="envoy-fills-buckets-at-twice-the-rate",
        kind=Kind.LIMIT,
        file=FILTERS,
        old='"tokens_per_fill": tokens,',
        new='"tokens_per_fill": 2 * tokens,',
        tests=FILES,
    ),
    Mutant(
        id="envoy-ends-streams",
        kind=Kind.DATA,
        file=ENVOY,
        old='"timeout": "0s" if forever else',
        new='"timeout": "1s" if forever else',
        tests=FILES,
    ),
)
