"""The rule for the names of people, accounts and projects, as tables."""

import unicodedata

import pytest

from shared.names import NAME_LENGTH, name_key, parse_name

ZWNJ, ZWJ = "\u200c", "\u200d"

ALLOWED = {
    "Latin with an accent": "Ana Díaz",
    "punctuation": "O'Neill, Shaun & Sons (1998) <3",
    "Chinese": "李小龙",
    "Arabic": "محمد بن سلمان",
    "Hebrew": "דוד המלך",
    "Persian with a non-joiner": f"می{ZWNJ}خواهم",
    "Persian plural": f"کتاب{ZWNJ}\u0647\u0627",
    "Sinhala with a joiner": f"ශ්{ZWJ}රී ලංකා",
    "Devanagari with a joiner after a virama": f"क्{ZWJ}ष",
    "an emoji family": f"👩{ZWJ}👩{ZWJ}👧{ZWJ}👦",
    "an emoji with a variation selector": f"❤\ufe0f{ZWJ}🔥",
    "a heart in text style": "I ❤\ufe0e Rome",
    "a key cap": "1\ufe0f\u20e3 Team",
    "an emoji of a letter": "\u2139\ufe0f Desk",
    "a flag of two letters": "🇩🇪",
    "Korean": "김철수",
    "an emoji with a skin tone": f"👩🏽{ZWJ}🚀",
    "letters with several marks": "q\u0307\u0323 Việt Nam",
    "Yoruba": "Ọlábísí",
    "digits": "4711",
    "an emoji of Unicode 15": "\U0001fae8 Team",
    "letters of Unicode 15": "\U00011f02\U00011f04",
    "one character": "李",
    "100 characters": "a" * NAME_LENGTH,
    "100 characters of more than one byte": "李" * NAME_LENGTH,
    "100 characters once they are composed": "e\u0301" * NAME_LENGTH,
    "words that resemble a link": "World wide www",
    "initials": "A. B. Müller",
    "initials without a space": "J.R.R. Tolkien",
    "a version": "Acme 2.0",
    "a long version": "Engine 12.0.4",
    "an abbreviation": "St. John's",
    "an ampersand": "AT&T",
    "a slash between numbers": "Team 24/7",
    "a slash between words": "C++/Rust guild",
    "a company's host": "Booking.com",
    "a sentence's end": "Acme Inc. / Sales",
    "an at sign alone": "Team @ Berlin",
    "two years": "Season 2024/2025",
    "a date": "Release 2026-11-25",
    "six digits": "Order 471108",
    "a word with dot": "Polka Dot Community",
    "initials with a slash": "R.D./Q.A.",
    "a question": "Who? =",
}

REFUSED = {
    "nothing": "",
    "spaces only": " \u00a0\u3000",
    "101 characters": "a" * (NAME_LENGTH + 1),
    "101 characters with a space": "a" * NAME_LENGTH + " b",
    "a line break": "a\nb",
    "a tab": "a\tb",
    "a null": "a\x00b",
    "a delete": "a\x7fb",
    "a C1 control": "a\x85b",
    "a line separator": "a\u2028b",
    "a paragraph separator": "a\u2029b",
    "a soft hyphen": "a\u00adb",
    "a zero-width space": "a\u200bb",
    "a word joiner": "a\u2060b",
    "a byte order mark": "a\ufeffb",
    "a left-to-right mark": "a\u200eb",
    "a right-to-left override": "a\u202eb",
    "an isolate": "a\u2066b\u2069",
    "an Arabic letter mark": "a\u061cb",
    "a tag character": "a\U000e0061",
    "the flag of England, made of tags": "🏴\U000e0067\U000e0062\U000e007f",
    "a surrogate": "a\ud800",
    "a private use character": "a\ue000",
    "a non-character": "a\uffff",
    "a non-character of another plane": "a\U0001fffe",
    "a non-character among Arabic forms": "a\ufdd0",
    "a non-joiner at the start": f"{ZWNJ}a",
    "a joiner at the end": f"a{ZWJ}",
    "a joiner alone": ZWJ,
    "two joiners": f"a{ZWJ}{ZWJ}b",
    "a joiner before a space": f"a{ZWJ} b",
    "a joiner after a space": f"a {ZWNJ}b",
    "a joiner before a mark": f"a{ZWJ}\u0301b",
    "a mark alone": "\u0301",
    "a variation selector alone": "\ufe0f",
    "a filler": "\u3164",
    "a joiner between fillers": f"a\u3164{ZWJ}\u3164a",
    "a filler at the end": "Admin\u3164",
    "a filler inside": "Ad\u1160min",
    "a half-width filler": "Ad\uffa0min",
    "a blank Braille pattern": "Admin\u2800",
    "a null notehead": "Admin\U0001d159",
    "an object replacement": "Ad\ufffcmin",
    "a grapheme joiner": "Ad\u034fmin",
    "a Khmer inherent vowel": "Ad\u17b4min",
    "a Mongolian variation selector": "Ad\u180bmin",
    "a variation selector after a letter": "Admin\ufe0f",
    "a text style after a letter": "Admin\ufe0e",
    "a variation selector after another": "❤\ufe0f\ufe0f",
    "a variation selector at the start": "\ufe0fa",
    "variation selector 1": "Ad\ufe00min",
    "variation selector 17": "Ad\U000e0100min",
    "a reserved format character": "Ad\u2065min",
    "a reserved special": "Ad\ufff0min",
    "a tag that is not assigned": "Ad\U000e0fffmin",
    "a scheme with a joiner": f"https:/{ZWJ}/evil.example",
    "a scheme with a non-joiner": f"https:{ZWNJ}//evil.example",
    "a scheme in full width": "https\uff1a\uff0f\uff0fevil.example",
    "a host with a non-joiner": f"ww{ZWNJ}w.evil.example",
    "a host in full width": "\uff57\uff57\uff57\uff0eevil.example",
    "an encoded word with a joiner": f"={ZWJ}?utf-8?q?x",
    "an encoded word in full width": "\uff1d\uff1futf-8?q?x",
    "a scheme": "see http://x.example",
    "a host": "WWW.x.example",
    "an encoded word": "=?utf-8?q?x=0d=0aBcc:a@b.example?=",
    "a path without a scheme": "Log in at evil.example/path",
    "a path in full width": "evil\uff0eexample\uff0fpath",
    "a path with another dot": "evil\u3002example/path",
    "a path with a joiner": f"evil.{ZWNJ}example/path",
    "a path of an international host": "bücher.рф/путь",
    "a query without a scheme": "evil.example?id=1",
    "a fragment without a scheme": "evil.example#pay",
    "a port": "evil.example:8443",
    "a numeric host": "Visit 192.0.2.7",
    "an e-mail address": "Support help@evil.example",
    "an e-mail address in brackets": "<help@evil.example>",
    "an e-mail address in full width": "help\uff20evil.example",
    "a host in words": "evil dot com",
    "a host with a dot in brackets": "evil(dot)example",
    "a phone number": "Call +49 30 1234567",
    "a phone number with hyphens": "1-800-555-0199",
    "a phone number with dots": "0800.555.0199",
    "a phone number in brackets": "(030) 555 01 99",
    "a phone number of key caps": "".join(f"{digit}\ufe0f\u20e3" for digit in "5550199"),
    "a phone number in full width": "\uff15\uff15\uff15\uff10\uff11\uff19\uff19",
    "a phone number in Arabic digits": "\u0665\u0665\u0665\u0660\u0661\u0669\u0669",
}


@pytest.mark.parametrize("name", ALLOWED.values(), ids=ALLOWED)
def test_a_name_in_any_script_is_kept_in_nfc(name: str) -> None:
    assert parse_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.rule("T13")
@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_a_name_with_hidden_or_active_content_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        parse_name(name)


def test_white_space_is_folded_before_the_length_is_counted() -> None:
    assert parse_name("  Ana \u00a0\u3000 Díaz \n") == "Ana Díaz"
    assert parse_name("a" * 99 + "     ") == "a" * 99
    assert len(parse_name("a    " * 50)) == NAME_LENGTH - 1


@pytest.mark.parametrize("name", ALLOWED.values(), ids=ALLOWED)
def test_a_parsed_name_parses_to_itself(name: str) -> None:
    assert parse_name(parse_name(name)) == parse_name(name)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Project", "PROJECT", True),
        ("straße", "STRASSE", True),
        ("ﬁle", "file", True),
        ("\uff21\uff43\uff4d\uff45", "Acme", True),
        ("e\u0301", "é", True),
        ("Ⅳ", "IV", True),
        ("Project 1", "Project 2", False),
        ("\u0430", "a", False),  # Cyrillic and Latin
        (f"می{ZWNJ}خواهم", "میخواهم", True),
        (f"Ad{ZWJ}min", "admin", True),
        ("Team ❤\ufe0f", "Team ❤", True),
        ("Ad\u034fmin\u3164", "admin", True),  # stored by an earlier version
    ],
)
def test_names_are_compared_without_width_and_case(one: str, other: str, *, same: bool) -> None:
    assert (name_key(one) == name_key(other)) is same


def test_a_key_is_its_own_key() -> None:
    characters = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    assert [c for c in characters if name_key(name_key(c)) != name_key(c)] == []
