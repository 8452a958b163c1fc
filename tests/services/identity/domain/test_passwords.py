"""The rule for passwords as a table."""

from __future__ import annotations

import itertools
import random
import string

import pytest

from services.identity.domain.passwords import SIGNS_AS_LETTERS, check_password, password_fault
from shared.problems import Invalid
from tests.support.unfolding import little_work

GUESSED = "This password is easy to guess."
PERSONAL = "It contains your name, your e-mail address or the name of this product."


def fault_of(password: str) -> str | None:
    return password_fault(
        password, names=["Ana Díaz"], email="ana.diaz@nordwind.example", product="Rolecall"
    )


@pytest.mark.parametrize(
    "password",
    [
        "correct-horse-battery",
        "x7#mQ2!vTr",
        "12 Katzen im Schnee",
        "пароль-из-слов-и-чисел-7",
        "three blind mice run",
        "Ana has seven green kettles",
        "kite" + "x7#mQ2!v" * 15,
        "{4@8([<369+!1|7$5%20}" * 6,
    ],
)
def test_a_password_that_is_hard_to_guess_may_be_chosen(password: str) -> None:
    assert fault_of(password) is None


@pytest.mark.rule("T8")
@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "A password must have at least 10 characters."),
        ("x7#mQ2!vT", "A password must have at least 10 characters."),
        ("x7#mQ2!v" * 16 + "x", "A password must have at most 128 characters."),
        ("abc\0defghijk", "A password must not contain control characters."),
        ("abc\ndefghijk", "A password must not contain control characters."),
        ("passwordpassword", GUESSED + ' Repeats like "abcabcabc"'),
        ("aaaaaaaaB1", GUESSED + ' Repeats like "aaa"'),
        ("12345678901", GUESSED),
        ("qwertyuiop", GUESSED),
        ("Password123!", GUESSED),
        ("summerrain7", GUESSED),
        ("1q2w3e4r5t", GUESSED),
        ("correcthorsebatterystaple", GUESSED),
        ("a" * 100 + "correct-horse-battery"[:28], GUESSED),
        ("\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff50\uff41\uff53\uff53", GUESSED),
        ("p\u0301assw\u0301ordpassword", GUESSED),
        ("Ana.Diaz2026", f"{GUESSED} {PERSONAL}"),
        ("AnaDíaz2026!", f"{GUESSED} {PERSONAL}"),
        ("zaidana2026", f"{GUESSED} {PERSONAL}"),
        ("zaíDanA2026", f"{GUESSED} {PERSONAL}"),
        ("diaz.anadiaz", f"{GUESSED} {PERSONAL}"),
        ("4n4d14zn0rdw1nd", f"{GUESSED} {PERSONAL}"),
        ("ana.diaz@nordwind.example", f"{GUESSED} {PERSONAL}"),
        ("nordwind.example1", f"{GUESSED} {PERSONAL}"),
        ("AnaAnaqzAna", f"{GUESSED} {PERSONAL}"),
        ("Rolecall2026!", f"{GUESSED} {PERSONAL}"),
        ("llaceloR2026", f"{GUESSED} {PERSONAL}"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused_with_a_reason(password, reason) -> None:
    fault = fault_of(password)
    assert fault is not None
    assert fault.startswith(reason), fault


def test_a_refusal_suggests_what_to_do() -> None:
    for password in ("short", "passwordpassword", "Ana.Diaz2026", "qwertyuiop"):
        fault = fault_of(password) or ""
        assert fault.count(".") >= 2, fault
        assert any(word in fault for word in ("Use ", "Add ", "Avoid ")), fault
        assert password not in fault


def test_a_refusal_names_the_field() -> None:
    with pytest.raises(Invalid) as refused:
        check_password("aaaaaaaaB1", field="new", names=[], email="a@b.example", product="P")
    assert [error.pointer for error in refused.value.errors] == ["/new"]


def test_no_password_takes_long_to_check() -> None:
    """Signs that stand for letters made this take seconds; the check runs in the event loop."""
    signs = "".join(dict.fromkeys(itertools.chain(*SIGNS_AS_LETTERS, "3%820")))
    alphabets = [signs, string.digits, string.printable[:94], "a", "ab", "4a@e3i1!o0s$5t7+"]
    drawn = ["".join(random.choice(each) for _ in range(128)) for each in alphabets for _ in "123"]
    for password in (*drawn, signs * 6, "a" * 14 + signs * 4):
        for attempt in little_work():
            with attempt:
                fault_of(password[:128])
