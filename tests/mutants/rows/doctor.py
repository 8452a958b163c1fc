"""Defects in `rolecall doctor`, and in the composition in production."""

from tests.mutants.mutant import Kind, Mutant

RULES = ("tests/deploy/doctor/test_findings.py",)
ASKING = ("tests/deploy/doctor/test_asking.py",)

ROWS = (
    Mutant(
        id="doctor-takes-a-pattern-for-random",
        kind=Kind.SECURITY,
        file="deploy/doctor/credentials.py",
        old="return repeats or len(set(text)) < 10",
        new="return len(set(text)) < 10",
        tests=RULES,
    ),
    Mutant(
        id="doctor-overlooks-a-shared-key",
        kind=Kind.SECURITY,
        file="deploy/doctor/credentials.py",
        old="places[key].add(name)",
        new="places[name].add(name)",
        tests=RULES,
    ),
    Mutant(
        id="doctor-trusts-an-unchecked-certificate",
        kind=Kind.SECURITY,
        file="deploy/doctor/encryption.py",
        old="checked = not any(",
        new="checked = True or any(",
        tests=RULES,
    ),
    Mutant(
        id="doctor-takes-a-public-address-for-an-inner-one",
        kind=Kind.SECURITY,
        file="deploy/doctor/encryption.py",
        old="return ip_address(host).is_global",
        new="return not ip_address(host).is_global",
        tests=RULES,
    ),
    Mutant(
        id="doctor-overlooks-rights-on-another-database",
        kind=Kind.SECURITY,
        file="deploy/doctor/servers.py",
        old='if database != seen.name or role != "readWrite"',
        new='if role != "readWrite"',
        tests=RULES,
    ),
    Mutant(
        id="doctor-takes-an-internal-path-for-shut",
        kind=Kind.SECURITY,
        file="deploy/doctor/ask_http.py",
        old="if answer.status != 404:",
        new="if answer.status == 200:",
        tests=ASKING,
    ),
    Mutant(
        id="doctor-lets-servers-write-to-the-terminal",
        kind=Kind.SECURITY,
        file="deploy/doctor/findings.py",
        old="told = [{name: plain(text) for",
        new="told = [{name: text for",
        tests=RULES,
    ),
    Mutant(
        id="doctor-reads-an-answer-without-end",
        kind=Kind.LIMIT,
        file="deploy/doctor/ask_http.py",
        old="if len(content) > MAX_ANSWER_BYTES:",
        new="if len(content) > 2 * MAX_ANSWER_BYTES:",
        tests=ASKING,
    ),
    Mutant(
        id="secrets-of-production-are-variables",
        kind=Kind.SECURITY,
        file="deploy/production.py",
        old="secret = {each.name for each in variables(settings) if each.secret}",
        new="secret = {each.name for each in variables(settings) if each.name.endswith('_KEY')}",
        tests=("tests/deploy/test_compose.py", "-k", "production"),
    ),
    Mutant(
        id="checkout-takes-over-the-containers-of-another",
        kind=Kind.DATA,
        file="deploy/engine.py",
        old="if line and Path(line) != own}",
        new="if line and Path(line) == own}",
        tests=("tests/deploy/test_engine.py",),
    ),
    Mutant(
        id="doctor-ends-well-beside-an-error",
        kind=Kind.CONSISTENCY,
        file="deploy/doctor/run.py",
        old="return FOUND if healthy(found) else WRONG",
        new="return FOUND",
        tests=ASKING,
    ),
)
