"""Mutants of the readers of strangers' texts: their work stays in proportion to the length."""

from tests.mutants.mutant import Kind, Mutant

TESTS = ("tests/services/test_work_of_texts.py",)


def _row(id_: str, file: str, old: str, new: str) -> Mutant:
    return Mutant(id=id_, kind=Kind.AVAILABILITY, file=file, old=old, new=new, tests=TESTS)


ROWS = (
    _row(
        "name-of-any-length-is-composed",
        "shared/names.py",
        "    if len(text.strip()) > TYPED_LENGTH:\n        raise ValueError(_LENGTH)\n",
        "",
    ),
    _row(
        "tokens-of-a-log-line-are-looked-for-from-each-place",
        "shared/redaction.py",
        r"eyJ[\w-]{8,}+(\.[\w-]+\.[\w-]*)?",
        r"eyJ[\w-]{8,}(\.[\w-]+\.[\w-]*)",
    ),
    _row(
        "merge-keys-of-yaml-multiply",
        "sdk/rolecall/core/source.py",
        "if self.merged > MAX_MERGED:",
        "if self.merged < 0:",
    ),
    _row(
        "number-of-yaml-that-cannot-be-read-is-no-problem-of-its-file",
        "sdk/rolecall/core/source.py",
        "except (ValueError, OverflowError) as error:",
        "except OverflowError as error:",
    ),
)
