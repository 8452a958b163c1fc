"""Defects in the settings, in files of secrets, and in the change of keys."""

from tests.mutants.mutant import Kind, Mutant

KEYS = ("tests/services/test_changed_keys.py",)
FILES = ("tests/shared/runtime/test_environment.py",)

ROWS = (
    Mutant(
        id="links-forget-former-keys",
        kind=Kind.CONSISTENCY,
        file="shared/links.py",
        old="self._keys = (key, *former)",
        new="self._keys = (key,)",
        tests=KEYS,
    ),
    Mutant(
        id="uses-of-the-first-key-count-as-former",
        kind=Kind.CONSISTENCY,
        file="shared/links.py",
        old="if any(found) and not found[0]:",
        new="if any(found):",
        tests=KEYS,
    ),
    Mutant(
        id="internal-calls-know-one-key",
        kind=Kind.CONSISTENCY,
        file="shared/auth/internal_tokens.py",
        old="if place == len(keys):",
        new="if place:",
        tests=KEYS,
    ),
    Mutant(
        id="operators-have-one-key",
        kind=Kind.CONSISTENCY,
        file="shared/auth/authenticator.py",
        old="if not any(found):",
        new="if not found[0]:",
        tests=KEYS,
    ),
    Mutant(
        id="receivers-lose-the-former-signature",
        kind=Kind.CONSISTENCY,
        file="services/notification/domain/webhook_secrets.py",
        old="for each in (key, *former_keys)",
        new="for each in (key,)",
        tests=KEYS,
    ),
    Mutant(
        id="code-is-refused-while-its-app-is-sealed-anew",
        kind=Kind.CONSISTENCY,
        file="services/identity/use_cases/second_factors.py",
        old="return replace(proof, sealed=sealed) if same else proof",
        new="return proof",
        tests=KEYS,
    ),
    Mutant(
        id="code-of-an-app-proves-another-one",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/second_factors.py",
        old="return replace(proof, sealed=sealed) if same else proof",
        new="return replace(proof, sealed=sealed)",
        tests=KEYS,
    ),
    Mutant(
        id="seals-of-former-keys-stay",
        kind=Kind.DATA,
        file="shared/sealed_secrets.py",
        old="return None if place == 0 else self.seal(secret, about=about)",
        new="return None",
        tests=KEYS,
    ),
    Mutant(
        id="secret-in-place-of-a-file-name-is-shown",
        kind=Kind.SECURITY,
        file="shared/runtime/environment.py",
        old='raise ValueError(f"its file cannot be read ({problem.strerror})") from None',
        new='raise ValueError(f"{file} cannot be read") from None',
        tests=FILES,
    ),
    Mutant(
        id="value-wins-silently-over-a-file",
        kind=Kind.SECURITY,
        file="shared/runtime/environment.py",
        old="if environment.get(given):",
        new="if not given:",
        tests=FILES,
    ),
    Mutant(
        id="weak-key-behind-a-good-one",
        kind=Kind.SECURITY,
        file="shared/secret_keys.py",
        old="return tuple(_key_bytes(text) for text in split_keys(secret))",
        new="return tuple(decode(text) for text in split_keys(secret))",
        tests=FILES,
    ),
)
