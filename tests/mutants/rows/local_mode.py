"""Mutants of the policy stream and of the asyncio client: leases, gaps, ends and refusals."""

from tests.mutants.mutant import Kind, Mutant

READER = "services/authz/use_cases/policy_stream.py"
MIRROR = "sdk/rolecall/aio/mirror.py"
LOCAL = "sdk/rolecall/aio/local.py"
ANSWERS = "sdk/rolecall/client/evaluations.py"
REMOTE = "sdk/rolecall/aio/remote.py"
STREAM_TESTS = ("tests/services/authz/test_policy_stream.py",)
SESSION_TESTS = ("tests/services/authz/test_streamed_sessions.py",)
ENDED_TESTS = ("tests/shared/following/test_ended_sessions.py",)
MIRROR_TESTS = ("tests/sdk/test_mirror.py",)
CLIENT_TESTS = ("tests/sdk/test_rolecall.py",)
GIVEN_TESTS = ("tests/sdk/test_given.py",)
GUARD_TESTS = ("tests/sdk/test_requirement.py",)
TOKEN_TESTS = ("tests/sdk/test_token_keys.py",)

ROWS = (
    Mutant(
        id="local-mode-answers-for-an-ended-session",
        kind=Kind.SECURITY,
        file=LOCAL,
        old="session is not None and session in mirror.ended\n",
        new="session is None\n",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="local-mode-takes-a-kept-answer-for-an-ended-session",
        kind=Kind.SECURITY,
        file=LOCAL,
        old=" and not resource.properties and not ended:\n",
        new=" and not resource.properties:\n",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="stream-forgets-sessions-that-ended-before-it",
        kind=Kind.SECURITY,
        file=READER,
        old="            yield from self._ended(self.ctx.sign_ins.ended_sessions())\n",
        new="            yield from self._ended([])\n",
        tests=STREAM_TESTS,
    ),
    Mutant(
        id="stream-tells-a-bound-reader-no-earlier-ends",
        kind=Kind.SECURITY,
        file=READER,
        old="self._ended(self.ctx.sign_ins.ended_sessions_of(members))\n",
        new="self._ended([])\n",
        tests=SESSION_TESTS,
    ),
    Mutant(
        id="stream-walks-over-all-ended-sessions-for-a-member",
        kind=Kind.LIMIT,
        file=READER,
        old="        if self.scope.account_ids is None:\n            return []\n",
        new="        if self.scope.account_ids is None or not self.ctx.sign_ins.ended_sessions():\n"
        "            return []\n",
        tests=SESSION_TESTS,
    ),
    Mutant(
        id="stream-numbers-a-part-of-the-ended-sessions",
        kind=Kind.SECURITY,
        file=READER,
        old="numbered=numbered and is_last)",
        new="numbered=numbered)",
        tests=SESSION_TESTS,
    ),
    Mutant(
        id="ended-sessions-are-all-listed-at-each-end",
        kind=Kind.LIMIT,
        file="shared/following/ended_sessions.py",
        old="        while self._by_end and",
        new="        while self._newest.of_kind(_SESSION) and",
        tests=ENDED_TESTS,
    ),
    Mutant(
        id="ended-sessions-are-dropped-by-an-older-end",
        kind=Kind.SECURITY,
        file="shared/following/ended_sessions.py",
        old="if known is not None and known.ended_at == ended_at:",
        new="if known is not None:",
        tests=ENDED_TESTS,
    ),
    Mutant(
        id="stream-forgets-ended-sessions-of-a-new-member",
        kind=Kind.SECURITY,
        file=READER,
        old="        yield from self._ended(self._ended_of_new_members(change))\n",
        new="",
        tests=STREAM_TESTS,
    ),
    Mutant(
        id="stream-tells-of-sessions-of-all-users",
        kind=Kind.SECURITY,
        file=READER,
        old="        return bound is None or any(policy.has_membership",
        new="        return True or any(policy.has_membership",
        tests=STREAM_TESTS,
    ),
    Mutant(
        id="local-mode-remembers-every-ended-session",
        kind=Kind.LIMIT,
        file=MIRROR,
        old="            del self.ended[session_id]\n",
        new="            self.ended[session_id] += 0\n",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="guard-leaves-the-session-out",
        kind=Kind.SECURITY,
        file="sdk/rolecall/aio/requirement.py",
        old="            session=caller.session_id,\n",
        new="",
        tests=GUARD_TESTS,
    ),
    Mutant(
        id="local-mode-without-its-lease",
        kind=Kind.CONSISTENCY,
        file=LOCAL,
        old="        if local.clock() >= mirror.lease.until:\n",
        new="        if False:\n",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="local-mode-tests-its-lease-first",
        kind=Kind.CONSISTENCY,
        file=LOCAL,
        old="        local = self._local\n        mirror = local.mirror\n",
        new="        local = self._local\n        mirror = local.mirror\n"
        "        now = local.clock()\n        local.clock = lambda: now\n",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="local-mode-keeps-what-time-decides",
        kind=Kind.CONSISTENCY,
        file=LOCAL,
        old="        if self._lasting and not ended:\n",
        new="        if not ended:\n",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="local-mode-keeps-what-conditions-decide",
        kind=Kind.SECURITY,
        file=LOCAL,
        old="        held is not None and held.bit in matrix.conditional for matrix in matrices\n",
        new="        False for matrix in matrices\n",
        tests=GIVEN_TESTS,
    ),
    Mutant(
        id="local-mode-takes-kept-answers-for-other-properties",
        kind=Kind.SECURITY,
        file=LOCAL,
        old="        if given is NOTHING_GIVEN and not resource.properties and not ended:\n",
        new="        if not ended:\n",
        tests=GIVEN_TESTS,
    ),
    Mutant(
        id="local-mode-takes-claimed-properties-for-registered-ones",
        kind=Kind.SECURITY,
        file=ANSWERS,
        old="    if resource.properties:\n",
        new="    if False:\n",
        tests=GIVEN_TESTS,
    ),
    Mutant(
        id="sdk-lets-given-properties-name-the-owner",
        kind=Kind.SECURITY,
        file=ANSWERS,
        old="        if name in given:\n",
        new="        if False:\n",
        tests=GIVEN_TESTS,
    ),
    Mutant(
        id="local-mode-keeps-answers-of-an-older-state",
        kind=Kind.CONSISTENCY,
        file=LOCAL,
        old="        if state is not self._state or state is None:\n",
        new="        if self._state is None:\n",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="local-mode-takes-only-the-first-state-of-an-object",
        kind=Kind.SECURITY,
        file="sdk/rolecall/aio/accounts.py",
        old="                self._told += 1\n",
        new="                self._told = 1\n",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="mirror-does-not-notice-a-lost-event",
        kind=Kind.CONSISTENCY,
        file=MIRROR,
        old="        if number != self._number + 1:\n",
        new="        if number <= self._number:\n",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="mirror-goes-on-after-a-broken-stream",
        kind=Kind.CONSISTENCY,
        file=MIRROR,
        old="        self.lease.lost()\n",
        new="",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="stream-lease-counts-from-its-arrival",
        kind=Kind.CONSISTENCY,
        file="sdk/rolecall/aio/lease.py",
        old="self._offset = min(self._offset, now - at)",
        new="self._offset = now - at",
        tests=MIRROR_TESTS,
    ),
    Mutant(
        id="stream-tells-without-leases",
        kind=Kind.SECURITY,
        file=READER,
        old="        if not self.ctx.holds():\n",
        new="        if False:\n",
        tests=STREAM_TESTS,
    ),
    Mutant(
        id="stream-goes-on-for-a-changed-client",
        kind=Kind.SECURITY,
        file=READER,
        old="        if self.ctx.sign_ins.client(self.client_id) != self.client:\n",
        new="        if self.ctx.sign_ins.client(self.client_id) is None:\n",
        tests=STREAM_TESTS,
    ),
    Mutant(
        id="stream-resumes-in-another-scope",
        kind=Kind.SECURITY,
        file=READER,
        old="if (life, tag) != (self.log.life, self.scope.tag)",
        new="if life != self.log.life",
        tests=STREAM_TESTS,
    ),
    Mutant(
        id="stream-tells-accounts-that-are-not-bound",
        kind=Kind.SECURITY,
        file="services/authz/domain/stream_events.py",
        old="        return self.account_ids is None or account_id in self.account_ids\n",
        new="        return True\n",
        tests=STREAM_TESTS,
    ),
    Mutant(
        id="breaker-that-opens-to-allow",
        kind=Kind.SECURITY,
        file=REMOTE,
        old="            answer = await self._post(EVALUATION_PATH, evaluation, until)\n"
        "            return _decision(answer.content)\n\n"
        "        return await self._in_time(attempt)\n",
        new="            answer = await self._post(EVALUATION_PATH, evaluation, until)\n"
        "            return _decision(answer.content)\n\n"
        "        try:\n            return await self._in_time(attempt)\n"
        "        except UndecidedError as error:\n"
        '            if type(error).__name__ != "CircuitOpenError":\n                raise\n'
        '            return CheckDecision(allowed=True, reason="allowed")\n',
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="breaker-counts-a-made-up-revision",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/aio/refusals.py",
        old='answer.status == 429 or (names_revision and _has_code(answer, "stale")),',
        new="answer.status == 429,",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="breaker-counts-a-rate-limit",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/aio/refusals.py",
        old='answer.status == 429 or (names_revision and _has_code(answer, "stale")),',
        new='names_revision and _has_code(answer, "stale"),',
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="guard-forwards-what-is-no-revision",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/aio/requirement.py",
        old="    return None if sent is None or read_revision(sent) is None else sent\n",
        new="    return sent\n",
        tests=GUARD_TESTS,
    ),
    Mutant(
        id="example-takes-an-instance-by-its-id-alone",
        kind=Kind.SECURITY,
        file="examples/instances/instances.py",
        old='    key = request.match_info["account_id"], request.match_info["id"]\n',
        new='    sent = request.match_info["id"]\n'
        '    key = next((each for each in request.app[INSTANCES] if each[1] == sent), ("", ""))\n',
        tests=("tests/sdk/test_aiohttp.py",),
    ),
    Mutant(
        id="stream-tells-every-catalog",
        kind=Kind.SECURITY,
        file="services/authz/domain/stream_events.py",
        old="        or (each.kind is PolicyObjectKind.CATALOG and follows(each.id))\n",
        new="        or each.kind is PolicyObjectKind.CATALOG\n",
        tests=STREAM_TESTS,
    ),
    Mutant(
        id="sdk-keeps-the-tokens-of-a-replaced-key",
        kind=Kind.SECURITY,
        file="sdk/rolecall/aio/keys.py",
        old="        if keys != self._keys:\n",
        new="        if keys.keys() != self._keys.keys():\n",
        tests=TOKEN_TESTS,
    ),
    Mutant(
        id="sdk-allows-a-refused-check-of-several",
        kind=Kind.SECURITY,
        file=REMOTE,
        old="CheckDecision(allowed=False, reason=CHECK_REFUSED)",
        new="CheckDecision(allowed=True, reason=CHECK_REFUSED)",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="sdk-follows-a-redirect-with-its-token",
        kind=Kind.SECURITY,
        file="sdk/rolecall/aio/transport.py",
        old="                    headers=headers,\n                    allow_redirects=False,\n",
        new="                    headers=headers,\n                    allow_redirects=True,\n",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="sdk-takes-fewer-answers-than-checks",
        kind=Kind.SECURITY,
        file=REMOTE,
        old='case {"evaluations": [*items]} if len(items) == len(page):',
        new='case {"evaluations": [*items]}:',
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="guard-opens-a-route-without-a-rule",
        kind=Kind.SECURITY,
        file="sdk/rolecall/integrations/asgi.py",
        old="        return NO_RULE\n",
        new="        return None\n",
        tests=GUARD_TESTS,
    ),
    Mutant(
        id="sdk-takes-the-token-of-a-client-for-a-user",
        kind=Kind.SECURITY,
        file="sdk/rolecall/client/access_tokens.py",
        old='    if "client_id" in claims:\n',
        new='    if "client" in claims:\n',
        tests=TOKEN_TESTS,
    ),
    Mutant(
        id="stream-keeps-the-loop-for-a-fast-reader",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/policy_stream.py",
        old="            await self.ctx.turns.next()\n",
        new="",
        tests=("tests/services/authz/test_long_answers.py", "-k", "fast_reader"),
    ),
)
