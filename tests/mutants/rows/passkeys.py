"""Mutants of passkeys."""

from tests.mutants.mutant import Kind, Mutant

DOMAIN = "services/identity/domain/passkeys.py"
PARTY = "services/identity/adapters/relying_party.py"
USE_CASES = "services/identity/use_cases/passkeys.py"
TESTS = "tests/services/identity/test_passkeys.py"
JOURNEY = "tests/services/identity/test_passkey_journey.py"
PLAIN = "services/identity/adapters/plain_cbor.py"
DATA = "services/identity/adapters/authenticator_data.py"
READING = "tests/services/identity/adapters/test_relying_party.py"
TABLES = "tests/services/identity/domain/test_passkeys.py"
PARTIES = "tests/services/identity/adapters/test_passkey_origins.py"
VERIFIED = "                require_user_verification=True,"


def _security(name: str, file: str, old: str, new: str, words: str, tests: str = TESTS) -> Mutant:
    return Mutant(
        id=name, kind=Kind.SECURITY, file=file, old=old, new=new, tests=(tests, "-k", words)
    )


ROWS = (
    _security(
        "challenge-of-a-passkey-counts-again",
        USE_CASES,
        "        await ctx.store.use_sign_in(challenge)",
        "        await ctx.store.user(UserId(challenge.key))",
        "counts_once",
    ),
    _security(
        "challenge-of-a-passkey-is-of-any-session",
        DOMAIN,
        "(opened.user_id, opened.session_id) != (user_id, session_id)",
        "(opened.user_id, None) != (user_id, None)",
        "of_its_user_and_session",
    ),
    _security(
        "challenge-of-a-passkey-is-for-any-purpose",
        DOMAIN,
        "(opened.user_id, opened.session_id) != (user_id, session_id)",
        "opened.user_id not in {None, user_id} and user_id is not None",
        "purpose or of_its_user",
    ),
    _security(
        "challenge-of-a-passkey-does-not-end",
        DOMAIN,
        "        or now >= opened.ends_at",
        "        or now < opened.begun_at",
        "time_and_purpose",
    ),
    _security(
        "new-passkey-of-a-person-not-verified",
        PARTY,
        "expected_origin=self._origin,\n" + VERIFIED,
        "expected_origin=self._origin,\n" + VERIFIED.replace("True", "False"),
        "added_verified",
    ),
    _security(
        "passkey-of-a-person-not-verified",
        PARTY,
        "count=0,\n" + VERIFIED,
        "count=0,\n" + VERIFIED.replace("True", "False"),
        "same_refusal",
    ),
    _security(
        "counter-of-a-passkey-goes-back",
        DOMAIN,
        "and sign_count <= passkey.sign_count",
        "and sign_count < 0",
        "goes_back",
    ),
    _security(
        "counter-of-a-passkey-counts-twice-at-once",
        DOMAIN,
        "        or counter_went_back(current, proof.sign_count)\n",
        "",
        "counter_counts_once",
        JOURNEY,
    ),
    _security(
        "passkey-of-another-host",
        PARTY,
        "                expected_challenge=base64url_to_bytes(challenge),\n"
        "                expected_rp_id=self._id,\n"
        "                expected_origin=self._origin,\n"
        "                require_user_verification=True,\n",
        "                expected_challenge=base64url_to_bytes(challenge),\n"
        '                expected_rp_id="evil.example",\n'
        "                expected_origin=self._origin,\n"
        "                require_user_verification=True,\n",
        "another_host",
        JOURNEY,
    ),
    _security(
        "copy-of-a-passkey-is-not-told",
        USE_CASES,
        "await ctx.journal.refused(user.id, passkeys.copy_suspected(user, passkey), caller=actor)",
        "assert actor",
        "goes_back",
    ),
    _security(
        "disabled-user-signs-in-with-a-passkey",
        USE_CASES,
        "if current.disabled_at is not None:",
        "if not current.id:",
        "disabled",
    ),
    _security(
        "passkey-is-no-second-factor",
        "services/identity/domain/mfa.py",
        "return self.totp is not None or bool(self.passkeys)",
        "return self.totp is not None",
        "first_passkey",
    ),
    _security(
        "first-passkey-leaves-sessions",
        USE_CASES,
        "if first and not await",
        "if not first and not await",
        "first_passkey",
    ),
    _security(
        "last-passkey-is-removed",
        USE_CASES,
        "has_passkey=bool(after.passkeys))",
        "has_passkey=True)",
        "last_way",
    ),
    _security(
        "removed-passkey-signs-in",
        DOMAIN,
        "return tuple(one for one in passkeys if one.passkey_id != wanted)",
        "return tuple(passkeys)",
        "code_of_an_app",
    ),
    _security(
        "new-passkey-reaches-the-library-as-it-came",
        PARTY,
        "credential=_without_statement(credential),",
        "credential=credential,",
        "unfolds",
        READING,
    ),
    _security(
        "data-of-a-signature-reach-the-library-as-they-came",
        PARTY,
        '            plain_data(base64url_to_bytes(credential["response"]["authenticatorData"]))\n',
        "",
        "unfolds",
        READING,
    ),
    _security(
        "stored-key-reaches-the-library-as-it-is",
        PARTY,
        "credential_public_key=plain_key(passkey.public_key),",
        "credential_public_key=passkey.public_key,",
        "unfolds",
        READING,
    ),
    _security(
        "passkey-is-kept-with-further-members",
        DATA,
        "return encode_cbor({name: key[name] for name in kind})",
        "return encode_cbor(key)",
        "known_members",
        READING,
    ),
    _security(
        "statement-of-an-authenticator-is-read",
        DATA,
        'return encode_cbor({"fmt": "none", "attStmt": {}, "authData": plain})',
        'return encode_cbor({**members, "authData": plain})',
        "no_statement",
        READING,
    ),
    _security(
        "key-of-any-size-is-kept",
        DATA,
        "return isinstance(value, bytes) and len(value) in member",
        "return isinstance(value, bytes)",
        "sizes",
        READING,
    ),
    _security(
        "cbor-of-any-depth",
        PLAIN,
        "if kind in {4, 5} and level >= MAX_LEVELS:",
        "if kind in {4, 5} and level >= 400:",
        "authenticator_writes",
        READING,
    ),
    _security(
        "cbor-of-any-number-of-items",
        PLAIN,
        "if self.items > MAX_ITEMS:",
        "if self.items > 100 * MAX_ITEMS:",
        "authenticator_writes",
        READING,
    ),
    _security(
        "cbor-with-a-key-twice",
        PLAIN,
        "or not isinstance(key, int | str) or key in members:",
        "or not isinstance(key, int | str):",
        "authenticator_writes",
        READING,
    ),
    _security(
        "refused-passkeys-of-a-user-are-not-counted",
        USE_CASES,
        "passkey_limit(principal.user_id), counted=counted):",
        "passkey_limit(principal.user_id)):",
        "count_for_their_user",
    ),
    Mutant(
        id="passkey-with-another-key-meanwhile",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="        or current.public_key != proof.passkey.public_key\n",
        new="",
        tests=(TABLES,),
    ),
    Mutant(
        id="use-of-a-passkey-has-no-time",
        kind=Kind.DATA,
        file=DOMAIN,
        old="used_at=proof.at",
        new="used_at=current.used_at",
        tests=(TABLES,),
    ),
    Mutant(
        id="new-passkey-counts-from-nothing",
        kind=Kind.SECURITY,
        file=PARTY,
        old="sign_count=made.sign_count",
        new="sign_count=0",
        tests=(PARTIES,),
    ),
    Mutant(
        id="origin-of-passkeys-has-no-port",
        kind=Kind.AVAILABILITY,
        file=PARTY,
        old='f"{parts.scheme}://{parts.netloc}"',
        new='f"{parts.scheme}://{parts.hostname}"',
        tests=(PARTIES,),
    ),
    Mutant(
        id="browser-is-not-told-which-passkeys-it-has",
        kind=Kind.DATA,
        file=PARTY,
        old="                for one in known\n",
        new="                for one in known[:0]\n",
        tests=(PARTIES,),
    ),
    Mutant(
        id="challenge-to-add-counts-again",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="        await _use_up(ctx, opened)\n        return made\n",
        new="        return made\n",
        tests=(TESTS, "-k", "of_its_user"),
    ),
    Mutant(
        id="further-passkey-is-a-fresh-proof",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="        if first:\n            proved =",
        new="        if not first:\n            proved =",
        tests=(TESTS, "-k", "further_one"),
    ),
    Mutant(
        id="name-of-a-passkey-is-any-text",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="        return parse_name(text)\n",
        new="        return text\n",
        tests=(TESTS, "-k", "listed_renamed"),
    ),
)
