"""Mutants of the HTTP layer: cursors, the client of internal calls, and the forms of errors."""

from tests.mutants.mutant import Kind, Mutant

CLIENT = "shared/http/client.py"
CLIENT_TESTS = ("tests/shared/http/test_internal.py",)
FORM_TESTS = ("tests/shared/http/test_error_forms.py",)

ROWS = (
    Mutant(
        id="openapi-closes-what-the-product-leaves-open",
        kind=Kind.DATA,
        file="shared/http/openapi_schemas.py",
        old='copy | {"additionalProperties": True}',
        new='copy | {"additionalProperties": False}',
        tests=("tests/contracts/test_openapi.py",),
    ),
    Mutant(
        id="openapi-leaves-open-what-the-product-closes",
        kind=Kind.DATA,
        file="shared/http/openapi_schemas.py",
        old='["additionalProperties"] = False',
        new='["additionalProperties"] = True',
        tests=("tests/contracts/test_openapi.py",),
    ),
    Mutant(
        id="http-weak-tag-matches",
        kind=Kind.DATA,
        file="shared/http/preconditions.py",
        old="ANY in wanted or tag in wanted",
        new="ANY in wanted or tag in {each.removeprefix(WEAK) for each in wanted}",
        tests=("tests/shared/http/test_preconditions.py",),
    ),
    Mutant(
        id="http-applied-change-ignores-what-is-excluded",
        kind=Kind.DATA,
        file="shared/http/preconditions.py",
        old="        if self.excludes(tag):\n            raise ResourceExists",
        new="        if not applied and self.excludes(tag):\n            raise ResourceExists",
        tests=("tests/shared/http/test_preconditions.py",),
    ),
    Mutant(
        id="http-own-request-id-of-a-stranger",
        kind=Kind.SECURITY,
        file="shared/http/requests.py",
        old="made if trusted and made is not None",
        new="made if made is not None",
        tests=("tests/shared/http/test_answers.py",),
    ),
    Mutant(
        id="http-senders-id-is-ours",
        kind=Kind.SECURITY,
        file="shared/http/mounting.py",
        old="        context.request_id.set(request_id)\n",
        new="        context.request_id.set(request[_SENT_ID] or request_id)\n",
        tests=("tests/shared/http/test_answers.py",),
    ),
    Mutant(
        id="http-kept-answer-of-another-caller",
        kind=Kind.SECURITY,
        file="shared/http/idempotency.py",
        old='f"{caller.actor.type}\\n{caller.actor.id}\\n{operation}\\n{path}\\n{key}"',
        new='f"{operation}\\n{path}\\n{key}"',
        tests=("tests/shared/http/test_idempotency.py",),
    ),
    Mutant(
        id="http-cursor-of-another-account",
        kind=Kind.DATA,
        file="shared/http/paging.py",
        old="[call.route.operation_id, dict(call.path), filters]",
        new="[call.route.operation_id, filters]",
        tests=("tests/shared/http/test_paging.py",),
    ),
    Mutant(
        id="client-silent-replica-takes-all-the-time",
        kind=Kind.AVAILABILITY,
        file=CLIENT,
        old="(deadline - loop.time()) / (1 + others)",
        new="deadline - loop.time()",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="client-call-without-the-request-id",
        kind=Kind.DATA,
        file=CLIENT,
        old="            REQUEST_ID_HEADER: context.request_id.get(),\n",
        new="",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="token-endpoint-answers-405-as-a-problem",
        kind=Kind.DATA,
        file="shared/http/mounting.py",
        old=".get(request.path, ErrorForm.PROBLEM)",
        new=".get(request.path if _ROW in request else UNMATCHED, ErrorForm.PROBLEM)",
        tests=FORM_TESTS,
    ),
    Mutant(
        id="client-secret-taken-with-one-in-the-query",
        kind=Kind.SECURITY,
        file="shared/http/api.py",
        old="            check_no_field_in_query(route.takes.model_fields, request.query)\n",
        new="            pass\n",
        tests=FORM_TESTS,
    ),
    Mutant(
        id="expired-told-before-the-signature",
        kind=Kind.SECURITY,
        file="shared/auth/authenticator.py",
        old="    except BadToken as error:\n        raise TokenInvalid from error\n",
        new="    except BadToken as error:\n        raise TokenExpired from error\n",
        tests=("tests/shared/http/test_answers.py", "-k", "apart"),
    ),
    Mutant(
        id="an-error-without-a-token",
        kind=Kind.DATA,
        file="shared/http/error_forms.py",
        old="    if not isinstance(refusal, TokenInvalid):\n        return BEARER\n",
        new="",
        tests=("tests/shared/http/test_answers.py", "-k", "apart"),
    ),
)
