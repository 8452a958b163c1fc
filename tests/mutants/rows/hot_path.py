"""Mutants of the checks that are answered from the bytes of a connection."""

from tests.mutants.mutant import Kind, Mutant

REQUESTS = "services/authz/adapters/hot_requests.py"
CONNECTIONS = "services/authz/adapters/hot_connections.py"
BODIES = "services/authz/routes/hot_bodies.py"
SAME_BYTES = ("tests/services/authz/test_hot_path.py",)
LIMITS = ("tests/services/authz/test_hot_connections.py",)

ROWS = (
    Mutant(
        id="hot-path-takes-no-brace-for-the-last-byte",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old="self._heads.get(data[:start]) if start > 0 else None",
        new="self._heads.get(data[:start])",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-answers-batches-at-once",
        kind=Kind.AVAILABILITY,
        file="services/authz/routes/hot_evaluation.py",
        old="MAX_BATCH_BYTES, alone=True)",
        new="MAX_BATCH_BYTES)",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-comes-back-after-aiohttp",
        kind=Kind.SECURITY,
        file=CONNECTIONS,
        old="        self._ordinary = True\n",
        new="",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-answers-before-something-malformed",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old="                return Unread.OTHER\n            requests.append(found)\n",
        new="                return requests\n            requests.append(found)\n",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-takes-a-field-twice",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old="    if not len(fields) == len(listed) == head.count",
        new="    if not len(listed) == head.count",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-takes-an-id-twice",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old="        if head is None or len(differing) < len(names):\n",
        new="        if head is None:\n",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-answers-with-another-sender-s-id",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old="        sent_id = _text(differing.get(self._sent_id_field))\n",
        new=(
            "        sent_id = _text(differing.get(self._sent_id_field))\n"
            "        sent_id = self.__dict__.setdefault('sent', sent_id)\n"
        ),
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-takes-ids-of-any-form",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old='rb")): ?" + _VALUE + rb"',
        new='rb")): ?" + rb"(.*)" + rb"',
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-tells-a-caller-that-is-gone-what-is-wrong",
        kind=Kind.SECURITY,
        file="services/authz/routes/hot_evaluation.py",
        old="                self._ctx.callers.check_now(principal)\n",
        new="",
        tests=LIMITS,
    ),
    Mutant(
        id="hot-path-drops-answers-before-it-hands-over",
        kind=Kind.CONSISTENCY,
        file=CONNECTIONS,
        old="                if answer is None:\n                    break\n",
        new=(
            "                if answer is None:\n"
            "                    answers.clear()\n"
            "                    break\n"
        ),
        tests=LIMITS,
    ),
    Mutant(
        id="decisions-need-no-service-client",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/asked_checks.py",
        old="    if client is None:\n        raise TokenRevoked\n",
        new=(
            "    if client is None:\n"
            '        return ServiceClientObject(name="", scopes=(CHECK_SCOPE,))\n'
        ),
        tests=LIMITS,
    ),
    Mutant(
        id="hot-path-skips-lines-it-cannot-read",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old='len(listed) == head.count(b"\\n") <= MAX_FIELDS',
        new="len(listed) <= MAX_FIELDS",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-takes-transfer-encoding",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old='        b"transfer-encoding",\n',
        new="",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-takes-a-known-token-without-a-scheme",
        kind=Kind.SECURITY,
        file="shared/auth/authenticator.py",
        old="            token = _bearer_token(credential.header)\n",
        new='            token = credential.header.removeprefix("Bearer ")\n',
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-keeps-a-connection-that-proxy-connection-closes",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old='        b"proxy-connection",\n',
        new="",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-takes-longer-fields-than-aiohttp",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old="        if start > MAX_HEAD_BYTES:\n",
        new="        if start > MAX_BYTES:\n",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-takes-a-member-twice",
        kind=Kind.SECURITY,
        file=BODIES,
        old=" if raw.count(b'\"') == marks else None\n",
        new="\n",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="usual-batches-take-a-member-twice",
        kind=Kind.SECURITY,
        file=BODIES,
        old="    if raw.count(b'\"') != marks:\n        return None\n",
        new="",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-takes-what-follows-a-known-head",
        kind=Kind.SECURITY,
        file=REQUESTS,
        old="        if head is not None and len(data) == start + head.body_bytes:\n",
        new="        if head is not None:\n",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-batches-end-with-their-turn",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/evaluations.py",
        old="    if not batch.complete:\n        return None\n",
        new="",
        tests=LIMITS,
    ),
    Mutant(
        id="hot-path-keeps-what-a-token-said",
        kind=Kind.SECURITY,
        file="shared/auth/authenticator.py",
        old="        if verified is None or not self._tokens.holds(verified):\n",
        new="        if verified is None:\n",
        tests=("tests/shared/auth/test_access_tokens.py",),
    ),
    Mutant(
        id="hot-path-takes-a-token-without-the-scope",
        kind=Kind.SECURITY,
        file="services/authz/routes/hot_evaluation.py",
        old="            if sender.refused:\n",
        new="            if False:\n",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-forgets-what-conditions-test",
        kind=Kind.SECURITY,
        file=BODIES,
        old="        AskedProperties(of_subject, of_resource),\n",
        new="",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="usual-batches-forget-their-semantic",
        kind=Kind.CONSISTENCY,
        file=BODIES,
        old="Semantic.EXECUTE_ALL if options is None else options.evaluations_semantic\n",
        new="Semantic.EXECUTE_ALL\n",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="usual-batches-prefer-their-defaults",
        kind=Kind.SECURITY,
        file=BODIES,
        old="        if subject is None:\n            subject = body.subject\n        else:\n",
        new=(
            "        if subject is None or body.subject is not None:\n"
            "            subject = body.subject\n"
            "        if item.subject is not None:\n"
        ),
        tests=SAME_BYTES,
    ),
    Mutant(
        id="usual-batches-forget-their-decision-point",
        kind=Kind.SECURITY,
        file=BODIES,
        old="        if point is not None:\n",
        new="        if not self.evaluations:\n",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-tests-the-leases-before-the-look",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/evaluation.py",
        old="    result = ctx.while_fresh(evaluate_now, ctx, principal, request)\n",
        new=("    ctx.while_fresh(list)\n    result = evaluate_now(ctx, principal, request)\n"),
        tests=LIMITS,
    ),
    Mutant(
        id="hot-path-keeps-what-a-token-might-do",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/asked_checks.py",
        old="    client = ctx.sign_ins.client(principal.client_id)\n",
        new=(
            "    client = ctx.sign_ins.client(principal.client_id)\n"
            "    client = globals().setdefault(principal.client_id, client)\n"
        ),
        tests=LIMITS,
    ),
    Mutant(
        id="tokens-outlive-the-keys-that-signed-them",
        kind=Kind.SECURITY,
        file="shared/auth/access_tokens.py",
        old="        return verified.version == self._keys.version and self._clock",
        new="        return self._clock",
        tests=("tests/shared/auth/test_access_tokens.py",),
    ),
    Mutant(
        id="hot-path-takes-no-place-in-its-lane",
        kind=Kind.SECURITY,
        file="shared/http/api.py",
        old="        return principal if admitted else None\n",
        new="        return principal\n",
        tests=LIMITS,
    ),
    Mutant(
        id="hot-path-answers-during-the-drain",
        kind=Kind.CONSISTENCY,
        file=CONNECTIONS,
        old="self._paused or self._runner.draining else",
        new="self._paused else",
        tests=LIMITS,
    ),
    Mutant(
        id="hot-path-writes-to-a-client-that-reads-nothing",
        kind=Kind.SECURITY,
        file=CONNECTIONS,
        old="self._paused or self._runner.draining else",
        new="self._runner.draining else",
        tests=LIMITS,
    ),
    Mutant(
        id="hot-path-trusts-every-sender-of-request-ids",
        kind=Kind.SECURITY,
        file="services/authz/routes/hot_evaluation.py",
        old="made_id is not None and self._proxies.trust_connection(transport)",
        new="made_id is not None",
        tests=LIMITS,
    ),
)
