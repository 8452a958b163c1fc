"""Mutants of the sign-in with issuers, and of requests to addresses that a customer chose."""

from tests.mutants.mutant import Kind, Mutant

TESTS = ("tests/services/identity/test_sso_sign_in.py",)
ACCOUNTS = ("tests/services/identity/test_account_connections.py",)
ANSWERS = ("tests/services/identity/domain/test_sso_sign_in.py",)
LINKS = ("tests/services/identity/domain/test_identities.py",)
OUTBOUND = ("tests/shared/http/test_outbound.py",)
LOOKUPS = "shared/http/name_lookups.py"
LOOKUP_TESTS = ("tests/shared/http/test_name_lookups.py",)
KEYS = "services/identity/adapters/issuer_keys.py"
PLACES = "services/identity/domain/issuer_places.py"
PLACE_TESTS = ("tests/services/identity/domain/test_issuer_places.py",)
KEY_TESTS = ("tests/services/identity/adapters/test_issuer_keys.py",)
TOKENS = "services/identity/domain/id_tokens.py"
SIGN_IN = "services/identity/domain/sso_sign_in.py"
IDENTITIES = "services/identity/domain/identities.py"


def _security(id_: str, file: str, old: str, new: str, *tests: str) -> Mutant:
    return Mutant(id=id_, kind=Kind.SECURITY, file=file, old=old, new=new, tests=tests)


ROWS = (
    _security(
        "continuation-of-a-sign-in-does-not-end",
        "services/identity/domain/sso_continuation.py",
        "not opened.begun_at <= now < opened.begun_at + CONTINUATION_LIFETIME:",
        "opened.begun_at > now:",
        *(*TESTS, "-k", "continues"),
    ),
    _security(
        "continuation-goes-on-without-a-right-code",
        "services/identity/use_cases/sso_sign_in.py",
        "            await use_proof(ctx, write, current, proof)\n",
        "",
        *(*TESTS, "-k", "continues"),
    ),
    _security(
        "sealed-text-of-any-kind-continues-a-sign-in",
        "services/identity/adapters/sealed_texts.py",
        "self._form = kind, form.encode()",
        'self._form = kind, b"text"',
        *(*TESTS, "-k", "not_a_continuation"),
    ),
    _security(
        "id-token-of-any-issuer",
        TOKENS,
        'if claims.get("iss") != issuer:',
        'if "iss" not in claims:',
        *(*TESTS, "-k", "does_wrong"),
    ),
    _security(
        "id-token-for-any-client",
        TOKENS,
        "or client_id not in audiences:",
        "or not audiences:",
        *(*TESTS, "-k", "does_wrong"),
    ),
    _security(
        "id-token-of-any-sign-in",
        TOKENS,
        'if not _same(claims.get("nonce"), nonce):',
        'if "nonce" not in claims:',
        *(*TESTS, "-k", "does_wrong"),
    ),
    _security(
        "id-token-that-has-expired",
        TOKENS,
        "if expires is None or expires + LEEWAY_SECONDS <= moment:",
        "if expires is None:",
        *(*TESTS, "-k", "does_wrong"),
    ),
    _security(
        "id-token-signed-in-any-way",
        "services/identity/adapters/issuers.py",
        "if algorithm not in known.metadata.algorithms:",
        "if not isinstance(algorithm, str):",
        *(*TESTS, "-k", "does_wrong"),
    ),
    _security(
        "metadata-of-any-issuer",
        "services/identity/adapters/issuers.py",
        'if members.get("issuer") != issuer:',
        'if "issuer" not in members:',
        *(*TESTS, "-k", "metadata"),
    ),
    _security(
        "answer-of-another-browser",
        SIGN_IN,
        "or not hmac.compare_digest(sign_in.state.encode(), answer.state.encode())",
        "or not answer.state",
        *(*TESTS, "-k", "browser_that_began or on_its_way"),
    ),
    _security(
        "answer-at-another-address",
        SIGN_IN,
        "if answer.redirect_uri != sign_in.redirect_uri:",
        "if not answer.redirect_uri:",
        *(*TESTS, "-k", "on_its_way"),
    ),
    _security(
        "answer-of-a-link-signs-in",
        SIGN_IN,
        "or sign_in.user_id != user_id",
        "or (user_id is not None and sign_in.user_id is None)",
        *(*TESTS, "-k", "answer_of_a_link"),
    ),
    _security(
        "answer-counts-twice",
        "services/identity/use_cases/sso_sign_in.py",
        "        raise SsoSignInOver from None\n    token =",
        "        pass\n    token =",
        *(*TESTS, "-k", "metadata or two_answers_at_once"),
    ),
    _security(
        "address-that-is-not-verified-is-linked",
        IDENTITIES,
        "if not issued.email_verified or not connection.speaks_for(address.key):",
        "if not connection.speaks_for(address.key):",
        *(*TESTS, "-k", "word_of_its_issuer"),
    ),
    _security(
        "issuer-speaks-for-every-domain",
        IDENTITIES,
        "if not issued.email_verified or not connection.speaks_for(address.key):",
        "if not issued.email_verified:",
        *(*TESTS, "-k", "word_of_its_issuer"),
    ),
    _security(
        "last-way-to-sign-in-is-unlinked",
        IDENTITIES,
        "if user.password_hash is None and not linked and not has_passkey:",
        "if user.password_hash is None and not user.id and not has_passkey:",
        *(*TESTS, "-k", "last"),
    ),
    _security(
        "unlinking-leaves-sessions",
        "services/identity/use_cases/identities.py",
        "if not await end_sessions_of(ctx, write, current.id, keep=principal.session_id):",
        "if current.id != principal.user_id:",
        *(*TESTS, "-k", "unlinking"),
    ),
    _security(
        "address-is-not-checked-at-the-connection",
        "shared/http/outbound.py",
        "if address is None or not _allowed(address, self._networks):",
        "if address is None:",
        *OUTBOUND,
    ),
    Mutant(
        id="slow-names-of-one-account-hold-up-all",
        kind=Kind.AVAILABILITY,
        file=LOOKUPS,
        old="self._running[sender] >= self._most_of_sender",
        new="self._running[sender] < 0",
        tests=LOOKUP_TESTS,
    ),
    Mutant(
        id="threads-for-names-are-not-bounded",
        kind=Kind.AVAILABILITY,
        file=LOOKUPS,
        old="self._running.total() >= self._most",
        new="self._running.total() < 0",
        tests=LOOKUP_TESTS,
    ),
    Mutant(
        id="abandoned-look-up-does-not-count",
        kind=Kind.AVAILABILITY,
        file=LOOKUPS,
        old="        return [_result(host, port, *each) for each in await found]\n",
        new=(
            "        try:\n"
            "            return [_result(host, port, *each) for each in await found]\n"
            "        except asyncio.CancelledError:\n"
            "            self._running.clear()\n"
            "            raise\n"
        ),
        tests=LOOKUP_TESTS,
    ),
    _security(
        "redirects-are-followed",
        "shared/http/outbound.py",
        "allow_redirects=False",
        "allow_redirects=True",
        *(*OUTBOUND, "-k", "redirect"),
    ),
    _security(
        "addresses-that-hold-others-count-as-outside",
        "shared/http/outbound.py",
        "        and not is_within(address, _NOT_ITSELF)\n",
        "",
        *(*OUTBOUND, "-k", "inside"),
    ),
    _security(
        "domain-without-its-record",
        "services/identity/domain/account_connections.py",
        "if connection.challenge not in texts:",
        "if not connection.challenge:",
        *(*ACCOUNTS, "-k", "proved_domain"),
    ),
    _security(
        "connection-speaks-before-the-proof",
        "services/identity/domain/account_connections.py",
        "trusted_domains=() if self.proved_at is None else (self.domain,),",
        "trusted_domains=(self.domain,),",
        *(*ACCOUNTS, "-k", "proved_domain or changed_hands"),
    ),
    _security(
        "domain-is-not-looked-up-again",
        "services/identity/use_cases/sso_connections.py",
        "if row is None or row.challenge not in await ctx.texts.of(row.record):",
        "if row is None:",
        *(*ACCOUNTS, "-k", "changed_hands"),
    ),
    _security(
        "connection-of-any-account",
        "services/identity/use_cases/account_connections.py",
        "if found is None or found.account_id != account_id:",
        "if found is None:",
        *(*ACCOUNTS, "-k", "another_account"),
    ),
    _security(
        "deleted-connection-keeps-its-domain",
        "services/identity/store/account_connections.py",
        "await self._domains.delete_one(wanted, session=session)",
        "assert wanted",
        *(*ACCOUNTS, "-k", "one_connection"),
    ),
    Mutant(
        id="deleted-connection-frees-the-domain-of-another",
        kind=Kind.SECURITY,
        file="services/identity/store/account_connections.py",
        old='wanted = {"_id": row.domain, "connection_id": row.id}',
        new='wanted = {"_id": row.domain}',
        tests=(*ACCOUNTS, "-k", "one_connection"),
    ),
    Mutant(
        id="sign-in-goes-on-with-another-issuer",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/sso_sign_in.py",
        old=("    if connection.issuer != issuer:\n        raise SsoSignInOver\n"),
        new="",
        tests=(*ACCOUNTS, "-k", "another_issuer"),
    ),
    _security(
        "private-key-of-an-issuer-is-read",
        KEYS,
        " or _PRIVATE & row.keys():",
        ":",
        *KEY_TESTS,
    ),
    _security(
        "key-of-an-issuer-of-any-length-is-read",
        KEYS,
        "if not isinstance(text, str) or len(text) > length:",
        "if not isinstance(text, str):",
        *KEY_TESTS,
    ),
    _security(
        "rsa-key-of-an-issuer-of-any-size-is-read",
        KEYS,
        "not MIN_RSA_BITS <= public.key_size <= MAX_RSA_BITS:",
        "public.key_size < MIN_RSA_BITS:",
        *KEY_TESTS,
    ),
    _security(
        "any-number-of-keys-of-an-issuer-is-read",
        KEYS,
        "for row in rows[:MAX_KEYS]",
        "for row in rows",
        *KEY_TESTS,
    ),
    Mutant(
        id="second-step-of-a-moment-to-come",
        kind=Kind.SECURITY,
        file="services/identity/domain/sso_continuation.py",
        old="not opened.begun_at <= now <",
        new="not now <",
        tests=ANSWERS,
    ),
    Mutant(
        id="answer-at-the-end-of-its-time",
        kind=Kind.SECURITY,
        file=SIGN_IN,
        old="sign_in.begun_at <= now < sign_in.ends_at",
        new="sign_in.begun_at <= now <= sign_in.ends_at",
        tests=ANSWERS,
    ),
    Mutant(
        id="answer-of-another-issuer-that-names-itself",
        kind=Kind.SECURITY,
        file=SIGN_IN,
        old="if answer.issuer is not None and answer.issuer != sign_in.issuer:",
        new='if answer.issuer == "":',
        tests=ANSWERS,
    ),
    Mutant(
        id="password-of-a-stranger-outlives-the-proof-of-the-address",
        kind=Kind.SECURITY,
        file=IDENTITIES,
        old=(
            "        password_hash=None,\n"
            "        password_imported=False,\n"
            "        password_taken=user.password_hash is not None,\n"
        ),
        new="",
        tests=LINKS,
    ),
    Mutant(
        id="link-of-a-user-ends-their-password",
        kind=Kind.SECURITY,
        file=IDENTITIES,
        old="if how is not LinkedBy.ADDRESS or user.verified_at is not None:",
        new="if how is not LinkedBy.ADDRESS:",
        tests=LINKS,
    ),
    Mutant(
        id="any-link-proves-the-address",
        kind=Kind.SECURITY,
        file=IDENTITIES,
        old="if how is not LinkedBy.ADDRESS or user.verified_at is not None:",
        new="if user.verified_at is not None:",
        tests=LINKS,
    ),
    Mutant(
        id="eleven-identities-of-a-user",
        kind=Kind.LIMIT,
        file=IDENTITIES,
        old="len(others) >= MAX_IDENTITIES",
        new="len(others) > MAX_IDENTITIES",
        tests=LINKS,
    ),
    Mutant(
        id="issuer-and-subject-are-not-kept-apart",
        kind=Kind.SECURITY,
        file=IDENTITIES,
        old='f"{issuer}\\0{subject}"',
        new='f"{issuer}{subject}"',
        tests=LINKS,
    ),
    Mutant(
        id="issuer-speaks-for-subdomains",
        kind=Kind.SECURITY,
        file="services/identity/domain/sso_connections.py",
        old="or domain_of(email_key) in trusted",
        new="or any(domain_of(email_key).endswith(each) for each in trusted)",
        tests=LINKS,
    ),
    Mutant(
        id="an-account-has-any-number-of-places",
        kind=Kind.AVAILABILITY,
        file=PLACES,
        old="self.of_accounts[account_id] >= share.account\n            or self",
        new="self",
        tests=PLACE_TESTS,
    ),
    Mutant(
        id="slow-issuers-have-all-places-of-accounts",
        kind=Kind.AVAILABILITY,
        file=PLACES,
        old="            or self._in_hand(pace) >= share.together\n",
        new="",
        tests=PLACE_TESTS,
    ),
    Mutant(
        id="accounts-have-the-places-of-the-operator",
        kind=Kind.AVAILABILITY,
        file=PLACES,
        old="            or self.of_accounts.total() >= PLACES_OF_ACCOUNTS\n",
        new="",
        tests=PLACE_TESTS,
    ),
    Mutant(
        id="one-fast-answer-makes-an-issuer-fast",
        kind=Kind.AVAILABILITY,
        file=PLACES,
        old="(before + seconds) / 2",
        new="seconds",
        tests=PLACE_TESTS,
    ),
    Mutant(
        id="places-are-not-counted-for-the-account",
        kind=Kind.AVAILABILITY,
        file="services/identity/adapters/issuers.py",
        old="issuer, account_id = connection.issuer, connection.account_id",
        new="issuer, account_id = connection.issuer, None",
        tests=("tests/services/identity/adapters/test_issuers.py",),
    ),
)
