"""Mutants of the chart, and of the Secrets that it names."""

from tests.mutants.mutant import Kind, Mutant

SECRETS = "deploy/cluster_secrets.py"
HELPERS = "deploy/chart/templates/_helpers.tpl"
PARTS = "deploy/chart/templates/parts.yaml"
NETWORK = "deploy/chart/templates/network.yaml"
FILES = ("tests/deploy/test_chart.py",)
RENDERED = ("tests/deployment/test_chart.py", "-m", "deployment")

ROWS = (
    Mutant(
        id="cluster-secrets-of-each-part-hold-those-of-others",
        kind=Kind.SECURITY,
        file=SECRETS,
        old="for key, value in sorted(given.items()) if key in secret}",
        new="for key, value in sorted(given.items())}",
        tests=FILES,
    ),
    Mutant(
        id="cluster-secrets-are-new-each-time",
        kind=Kind.DATA,
        file=SECRETS,
        old="    broker = load_or_create(folder / BROKER, tuple(Service))\n",
        new="    (folder / BROKER).unlink(missing_ok=True)\n"
        "    broker = load_or_create(folder / BROKER, tuple(Service))\n",
        tests=FILES,
    ),
    Mutant(
        id="cluster-secrets-can-be-read-by-others",
        kind=Kind.SECURITY,
        file=SECRETS,
        old="    write_private(folder / MANIFESTS, yaml.safe_dump_all(",
        new="    (folder / MANIFESTS).write_text(yaml.safe_dump_all(",
        tests=FILES,
    ),
    Mutant(
        id="cluster-secrets-of-addresses-without-a-user",
        kind=Kind.SECURITY,
        file=SECRETS,
        old='for word in ("{user}", "{password}")):',
        new='for word in ("{password}",)):',
        tests=FILES,
    ),
    Mutant(
        id="cluster-secrets-have-other-names-than-the-chart",
        kind=Kind.AVAILABILITY,
        file=SECRETS,
        old='    return name[:LONGEST_NAME].removesuffix("-")\n',
        new="    return name\n",
        tests=FILES,
    ),
    Mutant(
        id="cluster-secrets-pass-a-password-as-it-is",
        kind=Kind.AVAILABILITY,
        file=SECRETS,
        old='.replace("{password}", quote(password, safe=""))',
        new='.replace("{password}", "")',
        tests=FILES,
    ),
    Mutant(
        id="chart-runs-as-root",
        kind=Kind.SECURITY,
        file=HELPERS,
        old="runAsNonRoot: true\n",
        new="runAsNonRoot: false\n",
        tests=RENDERED,
    ),
    Mutant(
        id="chart-lets-containers-write",
        kind=Kind.SECURITY,
        file=HELPERS,
        old="readOnlyRootFilesystem: true\n",
        new="readOnlyRootFilesystem: false\n",
        tests=RENDERED,
    ),
    Mutant(
        id="chart-gives-pods-a-token-of-the-cluster",
        kind=Kind.SECURITY,
        file=HELPERS,
        old="automountServiceAccountToken: false\n",
        new="automountServiceAccountToken: true\n",
        tests=RENDERED,
    ),
    Mutant(
        id="chart-gives-a-secret-as-a-value",
        kind=Kind.SECURITY,
        file=HELPERS,
        old="- name: {{ $prefix }}{{ . }}_FILE\n",
        new="- name: {{ $prefix }}{{ . }}\n",
        tests=RENDERED,
    ),
    Mutant(
        id="chart-ends-pods-before-they-have-answered",
        kind=Kind.AVAILABILITY,
        file=PARTS,
        old="add $root.Values.drainSeconds 30",
        new="add $root.Values.drainSeconds 3",
        tests=RENDERED,
    ),
    Mutant(
        id="chart-lets-the-gateway-reach-internal-ports",
        kind=Kind.SECURITY,
        file=NETWORK,
        old='    {{- if eq $part "gateway" }}\n    - ports: [{port: 8080}]\n',
        new='    {{- if eq $part "gateway" }}\n    - ports: [{port: 8080}, {port: 8081}]\n',
        tests=RENDERED,
    ),
    Mutant(
        id="chart-lets-anyone-name-visitors",
        kind=Kind.SECURITY,
        file=NETWORK,
        old="    - ports: [{port: inside}]\n      from:\n",
        new="    - ports: [{port: inside}]\n    - ports: [{port: 9999}]\n      from:\n",
        tests=RENDERED,
    ),
    Mutant(
        id="chart-contracts-before-the-old-pods-have-ended",
        kind=Kind.DATA,
        file="deploy/chart/templates/migrations.yaml",
        old='ternary (list "expand" "contract") (list "expand") $root.Values.migrations.contract',
        new='ternary (list "expand" "contract") (list "expand" "contract") true',
        tests=RENDERED,
    ),
    Mutant(
        id="chart-keeps-no-name-of-a-replica-of-authz",
        kind=Kind.DATA,
        file=PARTS,
        old='{{- $stateful := eq $part "authz" }}',
        new='{{- $stateful := eq $part "team" }}',
        tests=RENDERED,
    ),
)
