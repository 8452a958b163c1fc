"""Mutants of passkeys."""

from tests.mutants.mutant import Kind, Mutant

DOMAIN = "services/identity/domain/passkeys.py"
PARTY = "services/identity/adapters/relying_party.py"
USE_CASES = "services/identity/use_cases/passkeys.py"
TESTS = "tests/services/identity/test_passkeys.py"
JOURNEY = "tests/services/identity/test_passkey_journey.py"
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
)
