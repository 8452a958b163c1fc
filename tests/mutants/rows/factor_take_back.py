"""Mutants of the link that takes a first second factor back."""

from tests.mutants.mutant import Kind, Mutant

DOMAIN = "services/identity/domain/factor_take_back.py"
USE_CASE = "services/identity/use_cases/factor_take_back.py"
TESTS = ("tests/services/identity/test_factor_take_back.py",)
TABLES = ("tests/services/identity/domain/test_factor_take_back.py",)
MAILS = ("tests/services/notification/test_delivery.py", "-k", "new_factor")


def _row(id_: str, file: str, old: str, new: str, *tests: str) -> Mutant:
    return Mutant(id=id_, kind=Kind.SECURITY, file=file, old=old, new=new, tests=tests or TESTS)


ROWS = (
    _row(
        "mailbox-removes-a-factor-for-ever",
        DOMAIN,
        " or now >= link[1]:",
        ":",
    ),
    _row(
        "link-of-a-former-factor-removes-a-later-one",
        DOMAIN,
        " or link[0] != generation",
        "",
    ),
    _row(
        "former-mailbox-removes-a-factor",
        DOMAIN,
        " or proved is None or proved > began:",
        ":",
    ),
    _row(
        "each-further-factor-has-a-link",
        "services/identity/use_cases/mfa.py",
        "take_back_of(acting.user, after) if first else None",
        "take_back_of(acting.user, after)",
    ),
    _row(
        "thief-keeps-the-password-after-a-take-back",
        DOMAIN,
        "        password_hash=None,\n",
        "",
    ),
    _row(
        "thief-keeps-the-session-after-a-take-back",
        USE_CASE,
        "        if not await end_sessions_of(ctx, write, user_id, keep=None):\n"
        "            return False\n",
        "",
    ),
    _row(
        "thief-keeps-a-linked-issuer-after-a-take-back",
        USE_CASE,
        "        await ctx.store.delete_identities_of(user_id, write.session)\n",
        "",
    ),
    _row(
        "second-click-of-a-take-back-locks-the-owner-out",
        DOMAIN,
        "taken_back=factors.beginnings)",
        "taken_back=0)",
    ),
    _row(
        "thief-keeps-back-the-mail-about-a-factor",
        "services/notification/use_cases/deliver.py",
        " and message.kind in SENT_WITHOUT_LINK:",
        " and not message.kind:",
        *MAILS,
    ),
    Mutant(
        id="link-of-a-take-back-has-done-what-it-did-not",
        kind=Kind.DATA,
        file=DOMAIN,
        old="factors.taken_back == generation == factors.beginnings",
        new="factors.taken_back == generation",
        tests=TABLES,
    ),
    Mutant(
        id="thief-keeps-a-known-device-after-a-take-back",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="        known_devices=(),\n",
        new="",
        tests=TABLES,
    ),
    Mutant(
        id="imported-password-may-be-given-after-a-take-back",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="        password_taken=True,\n",
        new="",
        tests=TABLES,
    ),
    Mutant(
        id="hash-of-an-importer-is-expected-after-a-take-back",
        kind=Kind.DATA,
        file=DOMAIN,
        old="        password_imported=False,\n",
        new="",
        tests=TABLES,
    ),
    Mutant(
        id="take-back-is-checked-before-its-write-alone",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old=(
            "        current = factor_take_back.check_take_back(\n"
            "            current, factors, generation=link.generation, now=write.now\n"
            "        )\n"
        ),
        new="        assert current is not None\n",
        tests=(*TABLES, "-k", "in_the_write"),
    ),
    Mutant(
        id="tokens-beyond-a-hundred-outlive-a-take-back",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old=(
            "        if not await revoke_tokens_of(ctx, write, current, "
            "because=TokenEnd.FACTOR_TAKEN_BACK):\n"
            "            return False\n"
        ),
        new=(
            "        await revoke_tokens_of(ctx, write, current, "
            "because=TokenEnd.FACTOR_TAKEN_BACK)\n"
        ),
        tests=(*TESTS, "-k", "thief_back"),
    ),
    Mutant(
        id="take-back-is-forgotten-with-the-next-removal",
        kind=Kind.DATA,
        file="services/identity/domain/mfa.py",
        old="        taken_back=factors.taken_back,\n",
        new="",
        tests=TABLES,
    ),
    Mutant(
        id="each-further-factor-begins-the-time-of-the-link-anew",
        kind=Kind.SECURITY,
        file="services/identity/domain/mfa.py",
        old=("    if before.exist:\n        return after\n"),
        new=("    if before.exist:\n        return replace(after, began_at=now)\n"),
        tests=TABLES,
    ),
    Mutant(
        id="link-to-reset-a-password-takes-a-factor-back",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="link = ctx.take_back_links.read(token)",
        new="link = ctx.take_back_links.read(token) or ctx.reset_links.read(token)",
        tests=(*TESTS, "-k", "forged"),
    ),
    Mutant(
        id="first-passkey-has-no-link-to-take-it-back",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/passkeys.py",
        old="link = take_back_of(acting.user, after) if first else None",
        new="link = None",
        tests=("tests/services/identity/test_passkeys.py", "-k", "first_passkey"),
    ),
    Mutant(
        id="each-further-passkey-has-a-link",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/passkeys.py",
        old="link = take_back_of(acting.user, after) if first else None",
        new="link = take_back_of(acting.user, after)",
        tests=("tests/services/identity/test_passkeys.py", "-k", "first_passkey"),
    ),
)
