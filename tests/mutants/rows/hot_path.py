"""Mutants of the checks that are answered from the bytes of a connection."""

from tests.mutants.mutant import Kind, Mutant

REQUESTS = "services/authz/adapters/hot_requests.py"
CONNECTIONS = "services/authz/adapters/hot_connections.py"
BODIES = "services/authz/routes/hot_bodies.py"
SAME_BYTES = ("tests/services/authz/test_hot_path.py",)
LIMITS = ("tests/services/authz/test_hot_connections.py",)

ROWS = (
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
        old=(
            "        if header.startswith(_USUAL_SCHEME):\n"
            "            principal = self._tokens.known(header[len(_USUAL_SCHEME) :])\n"
        ),
        new=(
            "        if header:\n"
            "            principal = self._tokens.known(header.removeprefix(_USUAL_SCHEME))\n"
        ),
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
        old=" if start <= MAX_HEAD_BYTES else None",
        new="",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-takes-a-member-twice",
        kind=Kind.SECURITY,
        file=BODIES,
        old="    return body if raw.count(b'\"') == _ENCODER.encode(body).count(b'\"') else None\n",
        new="    return body\n",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-forgets-what-conditions-test",
        kind=Kind.SECURITY,
        file=BODIES,
        old="        given=Given(of_subject, of_resource, _NONE, _NONE),\n",
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
        old="        subject = item.subject or body.subject\n",
        new="        subject = body.subject or item.subject\n",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="usual-batches-forget-their-decision-point",
        kind=Kind.SECURITY,
        file=BODIES,
        old="        return [_request(*entities, point) for",
        new="        return [_request(*entities, None) for",
        tests=SAME_BYTES,
    ),
    Mutant(
        id="hot-path-tests-the-leases-before-the-look",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/evaluation.py",
        old="    result = ctx.while_fresh(lambda: evaluate_now(ctx, principal, request))\n",
        new=(
            "    ctx.while_fresh(lambda: None)\n"
            "    result = evaluate_now(ctx, principal, request)\n"
        ),
        tests=LIMITS,
    ),
    Mutant(
        id="hot-path-keeps-what-a-token-might-do",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/evaluation.py",
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
        old="        if cached.version == self._keys.version and self._clock",
        new="        if self._clock",
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
        old=" or self._paused or self._runner.draining:",
        new=" or self._paused:",
        tests=LIMITS,
    ),
    Mutant(
        id="hot-path-writes-to-a-client-that-reads-nothing",
        kind=Kind.SECURITY,
        file=CONNECTIONS,
        old=" or self._paused or self._runner.draining:",
        new=" or self._runner.draining:",
        tests=LIMITS,
    ),
    Mutant(
        id="hot-path-trusts-every-sender-of-request-ids",
        kind=Kind.SECURITY,
        file="services/authz/routes/hot_evaluation.py",
        old="request.made_id is not None and self._proxies.trust_connection(transport)",
        new="request.made_id is not None",
        tests=LIMITS,
    ),
)
