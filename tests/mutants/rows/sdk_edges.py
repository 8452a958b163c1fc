"""Mutants of what the SDK keeps, and of when it uses it no more."""

from tests.mutants.mutant import Kind, Mutant

ROWS = (
    Mutant(
        id="sdk-register-of-a-missing-account-succeeds",
        kind=Kind.DATA,
        file="sdk/rolecall/aio/register.py",
        old='gone = method == "DELETE" and answer.status == 404',
        new="gone = answer.status == 404",
        tests=("tests/sdk/test_register.py",),
    ),
    Mutant(
        id="sdk-register-id-with-a-slash-is-another-path",
        kind=Kind.SECURITY,
        file="sdk/rolecall/aio/register.py",
        old='quote(part, safe="")',
        new="quote(part)",
        tests=("tests/sdk/test_register.py",),
    ),
    Mutant(
        id="stream-refused-token-is-sent-again",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/aio/follower.py",
        old="self._refused = token if response.status == 401 else None",
        new="self._refused = None",
        tests=(
            "tests/services/authz/test_local_mode.py::test_a_token_of_a_replaced_key_is_not_a_wrong_secret",
        ),
    ),
    Mutant(
        id="local-mode-decides-after-it-was-refused",
        kind=Kind.SECURITY,
        file="sdk/rolecall/aio/follower.py",
        old=("                self.mirror.dropped()\n                self._refused_in_a_row += 1"),
        new="                self._refused_in_a_row += 1",
        tests=(
            "tests/services/authz/test_local_mode.py::test_what_was_told_is_not_used_after_a_refusal",
        ),
    ),
    Mutant(
        id="local-mode-decides-for-a-changed-client",
        kind=Kind.SECURITY,
        file="sdk/rolecall/aio/follower.py",
        old=(
            "                if str(ended) == CLIENT_CHANGED:\n"
            "                    self.mirror.dropped()\n"
        ),
        new="",
        tests=(
            "tests/services/authz/test_local_mode.py::test_what_was_told_is_not_used_after_the_client_was_changed",
        ),
    ),
    Mutant(
        id="mirror-resumes-from-half-a-state",
        kind=Kind.CONSISTENCY,
        file="sdk/rolecall/aio/mirror.py",
        old="if event.id is not None and self._loading is None:",
        new="if event.id is not None:",
        tests=("tests/sdk/test_mirror.py",),
    ),
    Mutant(
        id="sdk-event-without-a-bound",
        kind=Kind.LIMIT,
        file="sdk/rolecall/aio/event_stream.py",
        old="if self._size > MAX_EVENT_BYTES:",
        new="if self._size > 1_000 * MAX_EVENT_BYTES:",
        tests=("tests/sdk/test_mirror.py",),
    ),
    Mutant(
        id="sdk-remote-answers-in-another-order",
        kind=Kind.SECURITY,
        file="sdk/rolecall/aio/rolecall.py",
        old="decided |= dict(zip(left, asked, strict=True))",
        new="decided |= dict(zip(reversed(left), asked, strict=True))",
        tests=("tests/sdk/test_rolecall.py",),
    ),
    Mutant(
        id="local-mode-keeps-answers-without-a-bound",
        kind=Kind.LIMIT,
        file="sdk/rolecall/aio/local.py",
        old="if len(self._answers) >= MAX_ANSWERS:",
        new="if len(self._answers) >= 1_000 * MAX_ANSWERS:",
        tests=("tests/sdk/test_mirror.py",),
    ),
    Mutant(
        id="sdk-keeps-tokens-without-a-bound",
        kind=Kind.LIMIT,
        file="sdk/rolecall/aio/keys.py",
        old="if len(self._verified) >= MAX_CACHED_TOKENS:",
        new="if len(self._verified) >= 1_000 * MAX_CACHED_TOKENS:",
        tests=("tests/sdk/test_token_keys.py",),
    ),
    Mutant(
        id="aiohttp-head-has-no-rule",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/integrations/aiohttp.py",
        old='method = "GET" if request.method == "HEAD" else request.method',
        new="method = request.method",
        tests=(
            "tests/sdk/test_requirement.py::test_a_head_request_to_aiohttp_needs_what_get_needs",
        ),
    ),
    Mutant(
        id="local-mode-keeps-handles-without-a-bound",
        kind=Kind.LIMIT,
        file="sdk/rolecall/aio/local.py",
        old="if len(self._handles) >= MAX_HANDLES:",
        new="if len(self._handles) >= 1_000 * MAX_HANDLES:",
        tests=("tests/sdk/test_mirror.py::test_a_bounded_number_of_handles_is_kept",),
    ),
)
