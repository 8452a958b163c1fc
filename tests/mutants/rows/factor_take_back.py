"""Mutants of the link that takes a first second factor back."""

from tests.mutants.mutant import Kind, Mutant

DOMAIN = "services/identity/domain/factor_take_back.py"
USE_CASE = "services/identity/use_cases/factor_take_back.py"
TESTS = ("tests/services/identity/test_factor_take_back.py",)
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
)
