"""Mutants of names, of addresses in mails, and of redaction."""

from tests.mutants.mutant import Kind, Mutant

ROWS = (
    Mutant(
        id="names-compared-without-compatibility",
        kind=Kind.SECURITY,
        file="shared/names.py",
        old='    return unicodedata.normalize("NFKC", as_shown(name).casefold())\n',
        new='    return unicodedata.normalize("NFC", name).casefold()\n',
        tests=("tests/shared/test_names.py",),
    ),
    Mutant(
        id="mail-to-an-address-with-blanks",
        kind=Kind.SECURITY,
        file="services/notification/domain/names.py",
        old="    if parsed.typed != address:",
        new="    if not parsed.typed:",
        tests=("tests/services/notification/domain/test_names.py",),
    ),
    Mutant(
        id="redaction-keeps-a-token-in-a-fragment",
        kind=Kind.SECURITY,
        file="shared/redaction.py",
        old="(?<=[?&#])(?:token",
        new="(?<=[?&])(?:token",
        tests=("tests/shared/test_redaction.py",),
    ),
    Mutant(
        id="phone-number-with-listed-separators",
        kind=Kind.SECURITY,
        file="shared/contacts.py",
        old="(?:[\\W_]|",
        new="(?:[\\s().-]|",
        tests=("tests/shared/test_contacts.py",),
    ),
    Mutant(
        id="phone-number-taken-for-years",
        kind=Kind.SECURITY,
        file="shared/contacts.py",
        old="    return rest == run or _digits(rest) > 1\n",
        new="    return rest == run\n",
        tests=("tests/shared/test_contacts.py",),
    ),
    Mutant(
        id="contact-hidden-by-look-alikes",
        kind=Kind.SECURITY,
        file="shared/contacts.py",
        old="as_shown(text).translate(_PLAIN)",
        new="as_shown(text)",
        tests=("tests/shared/test_contacts.py",),
    ),
    Mutant(
        id="mail-shows-a-message-in-a-tag",
        kind=Kind.SECURITY,
        file="services/notification/domain/names.py",
        old="    if plus and not (",
        new="    if not plus and not (",
        tests=("tests/services/notification/domain/test_names.py",),
    ),
    Mutant(
        id="mail-shows-a-contact-in-a-local-part",
        kind=Kind.SECURITY,
        file="services/notification/domain/names.py",
        old="    if has_contact(user):\n",
        new="    if False:\n",
        tests=("tests/services/notification/domain/test_names.py",),
    ),
    Mutant(
        id="mail-name-looks-closed",
        kind=Kind.SECURITY,
        file="services/notification/domain/names.py",
        old=" or _QUOTE_LIKE.match(character) is not None",
        new="",
        tests=("tests/services/notification/domain/test_names.py",),
    ),
)
