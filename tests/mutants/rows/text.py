"""Mutants of names and of redaction."""

from tests.mutants.mutant import Kind, Mutant

ROWS = (
    Mutant(
        id="names-compared-without-compatibility",
        kind=Kind.SECURITY,
        file="shared/names.py",
        old='    return unicodedata.normalize("NFKC", _as_shown(name).casefold())\n',
        new='    return unicodedata.normalize("NFC", name).casefold()\n',
        tests=("tests/shared/test_names.py",),
    ),
    Mutant(
        id="redaction-keeps-a-token-in-a-fragment",
        kind=Kind.SECURITY,
        file="shared/redaction.py",
        old="(?<=[?&#])(?:token",
        new="(?<=[?&])(?:token",
        tests=("tests/shared/test_redaction.py",),
    ),
)
