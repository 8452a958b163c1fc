"""Passwords made of what an attacker knows of a user, as a table."""

from __future__ import annotations

import random
import string

import pytest

from services.identity.domain.passwords import password_fault

ANNA = ("Anna Maria Lindqvist", "anna.lindqvist+work@example.com")
ZOE = ("Zoë Krämer", "zk@example.com")
MALLORY = ("Mallory Smith", "mallory.smith@example.com")
IVAN = ("Иван Петров", "x@example.com")
BO = ("Bo Li", "bo.li@example.com")

MADE_OF_PERSONAL_PARTS = {
    ANNA: (
        "anna.lindqvist1",
        "annalindqvist1",
        "Lindqvist-Anna-2026",
        "lindqvist.anna.maria",
        "anna_lindqvist",
        "tsivqdniL annA",
        "4nn4-L1ndqv1st",
        "l.i.n.d.q.v.i.s.t",
        "WorkLindqvist7",
        "lindqvist.copper",
    ),
    ZOE: (
        "zoekraemer2026",
        "zoe.kraemer2026",
        "zoe-kramer-1990!",
        "Zoë-Krämer-1990",
        "kraemer#zoe#7",
        "remarkeoz2026",
        "zoe-zoe-zoe-1990",
    ),
    MALLORY: (
        "mallory.smith2026",
        "smith.mallory1990",
        "yrollam.htims",
        "htims-yrollam-1",
        "yr0llam.ht1ms-99",
        "m.smith@example.com",
        "mallory.smith@example",
        "mallory-smith-1",
        "MALLORY_SMITH_99",
        "mallory.smith-12.03.1990",
        "Mallory.password1",
        "mallory.mallory",
        "rolecall-2026!",
        "rolecall.example",
        "mallory@rolecall",
    ),
    IVAN: ("иванпетров2026", "петров-иван", "вортепнави"),  # noqa: RUF001 - Cyrillic
    BO: ("bo.li.2026.bo.li", "boliboli2026", "lIbO-1990-bOlI"),
}
BESIDE_PERSONAL_PARTS = {
    ANNA: ("lindqvist copper wire owls", "Anna has seven green kettles", "banana-otter-maps"),
    ZOE: ("zoe likes 4 quiet otters", "violet tram over bridge"),
    MALLORY: ("mallory-kite-otter-nine", "smith.xk72qp9w", "correct-horse-battery"),
    IVAN: ("пароль-из-слов-и-чисел-7",),
    BO: ("obol-bolivia-cabbage-lintel",),
}


def fault_of(password: str, person: tuple[str, str]) -> str | None:
    name, email = person
    return password_fault(password, names=[name], email=email, product="Rolecall")


@pytest.mark.rule("T8")
@pytest.mark.parametrize(
    ("person", "password"),
    [(person, each) for person, table in MADE_OF_PERSONAL_PARTS.items() for each in table],
)
def test_a_password_of_personal_parts_is_refused(person, password) -> None:
    fault = fault_of(password, person)
    assert fault is not None
    assert "It contains your name, your e-mail address or the name of this product." in fault
    assert any(advice in fault for advice in ("Use a few words", "Add another word")), fault


@pytest.mark.parametrize(
    ("person", "password"),
    [(person, each) for person, table in BESIDE_PERSONAL_PARTS.items() for each in table],
)
def test_a_personal_word_beside_a_good_password_is_allowed(person, password) -> None:
    assert fault_of(password, person) is None


def test_random_passwords_are_allowed_for_every_user() -> None:
    drawn = random.Random(7)
    alphabets = (
        string.ascii_lowercase,
        string.ascii_letters + string.digits,
        string.printable[:94],
    )
    for length in range(10, 101):
        for alphabet in alphabets:
            for person in MADE_OF_PERSONAL_PARTS:
                password = "".join(drawn.choice(alphabet) for _ in range(length))
                assert fault_of(password, person) is None, (password, person)
