"""Mutants of the HTTP layer: repeated requests and their kept answers."""

from tests.mutants.mutant import Kind, Mutant

KEYS = "shared/http/idempotency.py"
KEY_TESTS = ("tests/shared/http/test_idempotency.py",)

ROWS = (
    Mutant(
        id="repeat-ignores-the-form",
        kind=Kind.CONSISTENCY,
        file=KEYS,
        old='        if stored.get("form") not in {None, form_of(answer_class)}:\n',
        new="        if False:\n",
        tests=KEY_TESTS,
    ),
    Mutant(
        id="repeat-of-an-unfit-answer-breaks",
        kind=Kind.CONSISTENCY,
        file=KEYS,
        old="        except ValidationError as unfit:\n",
        new="        except LookupError as unfit:\n",
        tests=KEY_TESTS,
    ),
)
