"""Mutants of names and of redaction."""

from tests.mutants.mutant import Kind, Mutant

ROWS = (
    Mutant(
        id="names-compared-without-compatibility",
        kind=Kind.SECURITY,
        file="shared/names.py",
        old='unicodedata.normalize("NFKC", name).casefold()',
        new='unicodedata.normalize("NFC", name).casefold()',
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
