"""Words that mix alphabets are found, and words of one alphabet are left alone."""

import pytest

from rolecall import mixed_word


@pytest.mark.parametrize(
    "text",
    [
        "\u0410dmin",  # Cyrillic A
        "Team \u0391dmin",  # Greek Alpha
        "ow\u0578er",  # Armenian vo
        "\u13aadmin",  # Cherokee go
        "\u0430\u0308dmin",  # with an accent of its own
        "\u0430\u200ddmin",  # with a joiner
        "\uff21\u0434min",  # with a full-width letter
    ],
)
def test_a_word_of_two_alphabets_is_named(text):
    said = mixed_word(text)
    assert said is not None
    assert said.endswith("Use one alphabet.")


@pytest.mark.parametrize(
    "text",
    [
        "Admin",
        "M\u00fcller & S\u00f8n",
        "\u0410\u0434\u043c\u0438\u043d",
        "\u0410\u0434\u043c\u0438\u043d Nord",
        "\u0392-Tester",  # Greek, a hyphen, Latin
        "\u7ba1\u7406\u8005Admin",
        "\u30c6\u30b9\u30c8 2",
        "\u0646\u0638\u0627\u0645 VIP",
        "42 %",
        "",
    ],
)
def test_words_of_one_alphabet_each_are_left_alone(text):
    assert mixed_word(text) is None
