"""Contact details that a reader or a mail program finds in a name, as tables."""

import pytest

from shared.contacts import has_contact

NAMES = """
A. B. Müller
Acme 2.0
St. John's
AT&T
Team 24/7
C++/Rust guild
Node.js/React
Vue.js / Nuxt
TCP/IP
A/B Testing
Class of 2024-2026
Season 2024/2025
Q3 2025/26
Team 3 2024/2025
Release 2026-11-25
2024年11月25日
第3中学2024年11月
Route 66
Studio 54 (1977)
1. FC Köln 1948
Boeing 747-400
Engine 12.0.4
Booking.com
Booking.com / Partners
Team at Booking.com
Acme Inc. / Sales
Acme Inc. Dev/Ops
Mr. Smith/Jones
Foo // Bar
Area 51, Sector 7
R&D (2026)
Jean-Luc Picard 3rd
H2O 4 U
build 3f2a9b1c7d48
prj-01a23b45c67d89e0
Team @ Berlin
Polka Dot Community
Red Dot GmbH
李小龙
محمد بن سلمان
د. محمد/أحمد
टीम 12 हिन्दी
Gal·la Placídia
ジョン・スミス
call 110 or 112
""".strip().splitlines()

CONTACTS = """
call 0900,123,456 now
Call 1900 654 321
Call 1902 211 999 now
+44 2071 2030 99
+45 2012-2034
call 2012 2034
1999-2000-2001-2002
1990-1985
2025-2026 654
0900_123_456
0900:123:456
0900*123*456
0900|123|456
0900~123~456
0900=123=456
0900'123'456
0900;123;456
0900+123+456
0900#123#456
0900%123%456
0900&123&456
0900\\123\\456
0900 [123] 456
0900{123}456
0900<123>456
0900\u2212123\u2212456
0900\u30fb123\u30fb456
0900\u22c5123\u22c5456
0900\u2027123\u2027456
0900\u2044123\u2044456
0900\u2192123\u2192456
0900\U0001f539123\U0001f539456
0900 x 123 x 456
0900x123x456
0900 a 123 b 456
0900年123年456
0900 123 45A
0 9 0 0 1 2 3
\u2776\u2777\u2778\u2779\u277a\u277b\u277c
\u24ea\u2468\u24ea\u24ea\u2460\u2461\u2462
evil(at)example.com
evil [at] example [dot] com
evil at example dot de
evil at example dot online
Evil At Example Dot Online
evil dot example
evil dot ru
Evil Dot Com
EVIL DOT XYZ
evil dot xyz slash login
Evil Dot Shop Slash Login
evil.com slash login
evil.com\\login
evil.com\u2215login
evil.com\u2044login
evil.com\u29f8login
evil.com/
evil.com /login
evil.com%2Flogin
evil.com\u2236443
evil. com/login
evil .com/login
evil\u06d4com/login
evil\u22c5com/login
evil\ua4f8com/login
evil\u2027com/login
evil\u30fbcom/login
evil.рф/login
evil.xn--p1ai/login
भारत.भारत/login
evil.js.com/login
node.js/evil.com/login
hxxps//evil.com
hxxps:evil.com
http:\\\\evil.com
https:\u2044\u2044evil.com
localhost/login
localhost:8080
@evilhandle telegram
Telegram: @evilhandle
evil @ example.com
<help@evil.example>
192.0.2.7
""".strip().splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_digits_dots_or_slashes_is_not_a_contact(name: str) -> None:
    assert not has_contact(name)


@pytest.mark.rule("T13")
@pytest.mark.parametrize("name", CONTACTS)
def test_a_place_to_write_or_call_is_found_however_it_is_written(name: str) -> None:
    assert has_contact(name)
    assert has_contact(f"Support {name} now")
