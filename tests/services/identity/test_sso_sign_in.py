"""Tests of the sign-in with an issuer of OpenID Connect."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from services.identity.adapters.issuer_keys import key_for, read_keys
from services.identity.domain.sso_continuation import CONTINUATION_LIFETIME
from services.identity.domain.sso_sign_in import SIGN_IN_LIFETIME
from shared.ids import new_id
from tests.patience import PATIENT
from tests.services.identity.running import PASSWORD
from tests.services.identity.signing_in import ANA, Browser, signing_in
from tests.support.issuer import CLIENT_ID, KEYS, LocalIssuer, by_hand, public_row
from tests.support.service import ADMIN_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.service import Answered

PAGE = "https://rolecall.example/sign-in/callback"
ANOTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_browser(mongo_url: str) -> AsyncIterator[Browser]:
    async with signing_in(mongo_url, new_id("test")) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="module")
async def browser(shared_browser: Browser) -> Browser:
    """The browser as at the start; what identity knows of the issuer is too old to count."""
    identity = await shared_browser.identity.for_one_test()
    shared_browser.issuer.forget()
    shared_browser.issuer.person = dict(ANA)
    return Browser(identity, shared_browser.issuer)


@pytest.mark.rule("B16")
async def test_a_person_of_a_trusted_issuer_becomes_a_user_and_signs_in(browser: Browser) -> None:
    session = (await browser.sign_in()).expect(200)
    assert session["user"]["email"] == "ana@corp.example"
    assert session["user"]["name"] == "Ana Diaz"
    me = await browser.identity.send("GET", "/v1/me", token=session["access_token"])
    assert me.expect(200)["account_id"] == session["account_id"]
    told = await browser.identity.actions_of(session["user"]["id"])
    assert told == ["user.signed_up", "user.verified", "user.identity_linked", "session.started"]
    again = (await browser.sign_in()).expect(200)
    assert again["user"]["id"] == session["user"]["id"]


@pytest.mark.rule("T8")
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"state": "another"}, "sso-sign-in-over"),
        ({"redirect_uri": f"{PAGE}/none"}, "issuer-answer-invalid"),
    ],
)
async def test_refused_answers_of_an_issuer_count_for_the_network_of_the_sender(
    mongo_url: str, database_name: str, changed: dict[str, str], code: str
) -> None:
    async with signing_in(mongo_url, database_name, logins_per_ip=3) as browser:
        answer = await browser.answer()  # the beginning counts, too
        for _ in range(2):
            assert (await browser.finish(answer | changed)).code == code
        assert (await browser.finish(answer)).status == 429


@pytest.mark.rule("T8")
async def test_a_wrong_code_after_an_issuer_counts_for_the_network_of_the_sender(
    mongo_url: str, database_name: str
) -> None:
    async with signing_in(mongo_url, database_name, logins_per_ip=3) as browser:
        session = (await browser.sign_in()).expect(200)
        app, _ = await browser.identity.add_totp(session["access_token"])
        wrong = await browser.sign_in(otp=app.code(steps=9))
        assert wrong.code == "wrong-otp"
        assert (await browser.begin()).status == 429


async def test_a_mail_tells_of_a_sign_in_with_an_issuer_from_a_new_device(browser: Browser) -> None:
    body = (await browser.sign_in()).expect(200)
    answer, headers = await browser.answer(), {"User-Agent": "curl/8.5.0"}
    path = "/v1/login/oidc/finish"
    (await browser.identity.post(path, answer, headers=headers)).expect(200)
    first, second = await browser.identity.rows("session.started")
    assert (first.data["new_device"], second.data["new_device"]) == (False, True)
    assert (second.data["email"], second.data["device"]) == (body["user"]["email"], "curl")


@pytest.mark.rule("T5")
async def test_a_disabled_user_does_not_come_in_by_an_issuer(browser: Browser) -> None:
    session = (await browser.sign_in()).expect(200)
    path, body = f"/internal/admin/users/{session['user']['id']}/disable", {"reason": "A test."}
    (await browser.identity.post(path, body, token=ADMIN_KEY)).expect(200)
    refused = await browser.sign_in()
    assert (refused.status, refused.code) == (403, "user-disabled")


async def test_the_authorization_address_asks_as_the_standards_say(browser: Browser) -> None:
    begun = (await browser.begin()).expect(200)
    address = urlsplit(begun["authorization_url"])
    query = {name: one for name, [one] in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{browser.issuer.url}/authorize"
    assert query.pop("state") not in begun["binding"]
    assert len(query.pop("nonce")) == len(query.pop("code_challenge")) == 43
    assert query == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{PAGE}/corp",
        "scope": "openid email profile",
        "code_challenge_method": "S256",
    }


@pytest.mark.rule("B16", "T9")
async def test_the_domain_of_an_address_names_the_connection(browser: Browser) -> None:
    await browser.sign_in()
    known, unknown = [
        (await browser.begin(email=email)).expect(200)
        for email in ("ana@corp.example", "bo@corp.example")
    ]
    assert known.keys() == unknown.keys()
    for email in ("ana@other.example", "ana@corp.example.org"):
        assert (await browser.begin(email=email)).code == "no-connection"
    assert (await browser.begin("missing")).code == "no-connection"
    for body in ({"redirect": PAGE}, {"connection": "corp", "email": "ana@corp.example"}):
        assert (await browser.begin(**body)).status == 422
    elsewhere = await browser.begin(connection="corp", redirect="https://evil.example/callback")
    assert elsewhere.body["errors"][0]["pointer"] == "/redirect"


def _claims(**claims: Any) -> Callable[[LocalIssuer], None]:
    return lambda issuer: issuer.claims.update(claims)


def _signs(sign: Callable[[LocalIssuer, dict[str, Any]], str]) -> Callable[[LocalIssuer], None]:
    def change(issuer: LocalIssuer) -> None:
        issuer.sign = lambda claims: sign(issuer, claims)

    return change


def _answers(status: int, text: str = "", **headers: str) -> Callable[[LocalIssuer], None]:
    async def token(request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    def change(issuer: LocalIssuer) -> None:
        issuer.token = token

    return change


def _keys(*rows: dict[str, Any]) -> Callable[[LocalIssuer], None]:
    return lambda issuer: issuer.keys.extend(rows)


NOW = 4_107_542_400 + 7200
MISBEHAVIOUR: dict[str, tuple[Callable[[LocalIssuer], None], int, str]] = {
    "another issuer": (_claims(iss="https://evil.example"), 401, "iss"),
    "no issuer": (_claims(iss=None), 401, "iss"),
    "another client": (_claims(aud="another"), 401, "aud"),
    "no audience": (_claims(aud=None), 401, "aud"),
    "two audiences, no party": (_claims(aud=[CLIENT_ID, "another"]), 401, "azp"),
    "another party": (_claims(aud=[CLIENT_ID, "another"], azp="another"), 401, "azp"),
    "another nonce": (_claims(nonce="another"), 401, "nonce"),
    "no nonce": (_claims(nonce=None), 401, "nonce"),
    "an access token of another": (_claims(at_hash="another"), 401, "at_hash"),
    "expired": (_claims(exp=1), 401, "exp"),
    "no expiry": (_claims(exp=None), 401, "exp"),
    "made long ago": (_claims(iat=1), 401, "iat"),
    "made in the future": (_claims(iat=2**33), 401, "iat"),
    "not valid yet": (_claims(nbf=2**33), 401, "nbf"),
    "no subject": (_claims(sub=None), 401, "sub"),
    "a subject that is a number": (_claims(sub=7), 401, "sub"),
    "half a character in the subject": (_claims(sub="a\ud800"), 401, "id_token"),
    "half a character in the nonce": (_claims(nonce="a\ud800"), 401, "id_token"),
    "half a character in the hash": (_claims(at_hash="\ud800"), 401, "id_token"),
    "NUL in the subject": (_claims(sub="a\0"), 401, "id_token"),
    "a very long subject": (_claims(sub="x" * 256), 401, "sub"),
    "no signature": (
        _signs(lambda _issuer, claims: by_hand({"alg": "none", "kid": "k1"}, claims)),
        401,
        "alg",
    ),
    "the public key as a secret": (
        _signs(lambda issuer, claims: issuer.with_public_key_as_secret(claims)),
        401,
        "alg",
    ),
    "an algorithm that it does not use": (
        _signs(lambda issuer, claims: issuer.signed(claims, algorithm="RS512", key=KEYS["RS256"])),
        401,
        "alg",
    ),
    "a key of another issuer under its id": (
        _signs(lambda issuer, claims: issuer.signed(claims, key=ANOTHER_RSA)),
        401,
        "signature",
    ),
    "an unknown key": (
        _signs(lambda issuer, claims: issuer.signed(claims, kid="k2")),
        401,
        "kid",
    ),
    "not a token": (_signs(lambda _issuer, _claims: "x.y.z"), 401, "id_token"),
    "a huge token": (_signs(lambda _issuer, _claims: "x" * 20_000), 401, "id_token"),
    "claims that are not an object": (
        _signs(
            lambda _issuer, _claims: jwt.PyJWS().encode(
                b"[]", KEYS["RS256"], "RS256", headers={"kid": "k1"}
            )
        ),
        401,
        "id_token",
    ),
    "a key for encryption": (_keys(public_row("RS256", kid="k1") | {"use": "enc"}), 401, "kid"),
    "two keys of one id": (
        _keys(public_row("RS256", kid="k1"), public_row("RS256", kid="k1", key=ANOTHER_RSA)),
        401,
        "kid",
    ),
    "a refused code": (_answers(400, '{"error": "invalid_grant"}'), 401, "code"),
    "no token": (_answers(200, "{}"), 401, "id_token"),
    "a redirect": (_answers(302, Location="http://127.0.0.1:1/"), 401, "code"),
    "a failure": (_answers(500), 503, ""),
    "not JSON": (_answers(200, "<html>"), 503, ""),
    "a list": (_answers(200, "[]"), 503, ""),
    "a huge answer": (_answers(200, " " * 300_000), 503, ""),
    "a compressed answer": (_answers(200, "x", **{"Content-Encoding": "gzip"}), 503, ""),
}


@pytest.mark.rule("B16")
@pytest.mark.parametrize("name", MISBEHAVIOUR)
async def test_what_an_issuer_does_wrong_starts_no_session(browser: Browser, name: str) -> None:
    change, status, reason = MISBEHAVIOUR[name]
    change(browser.issuer)
    refused = await browser.sign_in()
    assert refused.status == status, refused.text
    assert refused.code == ("issuer-answer-invalid" if status == 401 else "issuer-unavailable")
    assert refused.body.get("reason", "") == reason
    assert await browser.identity.rows() == []


@pytest.mark.parametrize("algorithm", KEYS)
async def test_each_safe_way_to_sign_is_accepted(browser: Browser, algorithm: str) -> None:
    browser.issuer.algorithm = algorithm
    (await browser.sign_in()).expect(200)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://192.168.0.1/token"},
        {"token_endpoint": "https://169.254.169.254/"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
)
async def test_metadata_that_cannot_be_used_begin_nothing(
    browser: Browser, metadata: dict[str, Any]
) -> None:
    browser.issuer.metadata = metadata
    assert (await browser.begin()).code == "issuer-unavailable"


@pytest.mark.rule("B16")
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"state": "another"}, "sso-sign-in-over"),
        ({"binding": "AAAA"}, "sso-sign-in-over"),
        ({"binding": "x" * 400}, "sso-sign-in-over"),
        ({"iss": "https://evil.example"}, "issuer-answer-invalid"),
        ({"redirect_uri": f"{PAGE}/open"}, "issuer-answer-invalid"),
        ({"code": "another"}, "issuer-answer-invalid"),
    ],
)
async def test_an_answer_that_was_changed_on_its_way_is_refused(
    browser: Browser, changed: dict[str, str], code: str
) -> None:
    assert (await browser.sign_in(**changed)).code == code
    assert await browser.identity.rows() == []


@pytest.mark.rule("B16")
async def test_an_answer_counts_in_the_browser_that_began_the_sign_in(browser: Browser) -> None:
    """A stranger's answer, sent by a victim's browser, signs the victim in to nothing."""
    strangers, own = await browser.answer(), await browser.answer()
    mixed = strangers | {"binding": own["binding"]}
    assert (await browser.finish(mixed)).code == "sso-sign-in-over"
    del mixed["binding"]
    assert (await browser.finish(mixed)).status == 422


@pytest.mark.rule("B16")
async def test_of_two_answers_at_once_one_signs_in(browser: Browser) -> None:
    answer = await browser.answer()
    both = await asyncio.gather(browser.finish(answer), browser.finish(answer))
    assert sorted(each.status for each in both) == [200, 410]
    assert (await browser.finish(answer)).code == "sso-sign-in-over"


async def test_an_answer_that_comes_too_late_is_refused(browser: Browser) -> None:
    answer = await browser.answer()
    browser.identity.clock.move(SIGN_IN_LIFETIME.total_seconds())
    assert (await browser.finish(answer)).code == "sso-sign-in-over"


async def test_an_issuer_that_says_it_names_itself_must_do_so(browser: Browser) -> None:
    answer = await browser.answer()
    del answer["iss"]
    assert (await browser.finish(answer)).body["reason"] == "iss"
    browser.identity.clock.move(3600)
    browser.issuer.names_itself = False
    (await browser.sign_in()).expect(200)


async def test_a_new_key_of_the_issuer_is_learned_and_asked_for_seldom(browser: Browser) -> None:
    (await browser.sign_in()).expect(200)
    browser.issuer.kid = "k2"
    browser.identity.clock.move(31)
    (await browser.sign_in()).expect(200)
    assert browser.issuer.asked.count("/keys") == 2
    browser.issuer.sign = lambda claims: browser.issuer.signed(claims, kid="k3")
    for _ in range(3):
        assert (await browser.sign_in()).body["reason"] == "kid"
    assert browser.issuer.asked.count("/keys") == 2
    assert browser.issuer.asked.count("/.well-known/openid-configuration") == 1


@pytest.mark.rule("B16")
async def test_an_address_is_linked_on_the_word_of_its_issuer_alone(browser: Browser) -> None:
    person = await browser.identity.person("ana@corp.example")
    for untrusted in ({"email_verified": False}, {"email_verified": "true"}, {"email": None}):
        browser.issuer.claims = untrusted
        assert (await browser.sign_in()).code == "identity-not-linked"
    browser.issuer.claims = {}
    assert (await browser.sign_in("none")).code == "identity-not-linked"
    browser.issuer.claims = {"email": "ana@victim.example"}
    assert (await browser.sign_in()).code == "identity-not-linked"
    browser.issuer.claims = {}
    session = (await browser.sign_in()).expect(200)
    assert session["user"]["id"] == person["user"]["id"]
    (linked,) = await browser.identity.rows("user.identity_linked")
    assert linked.data["how"] == "address"
    assert (await browser.identity.log_in("ana@corp.example")).status == 200


@pytest.mark.rule("B16")
async def test_issuer_and_subject_name_the_person_and_not_the_address(browser: Browser) -> None:
    first = (await browser.sign_in()).expect(200)
    browser.issuer.claims = {"email": "moved@corp.example"}
    assert (await browser.sign_in()).expect(200)["user"]["id"] == first["user"]["id"]
    browser.issuer.claims = {"sub": "person-2", "email": "moved@corp.example"}
    assert (await browser.sign_in()).expect(200)["user"]["id"] != first["user"]["id"]


@pytest.mark.rule("T9")
async def test_an_untrusted_issuer_does_not_learn_who_has_a_user(browser: Browser) -> None:
    await browser.identity.person("ana@corp.example")
    known = await browser.sign_in("none")
    browser.issuer.claims = {"sub": "person-2", "email": "bo@corp.example"}
    unknown = await browser.sign_in("none")
    assert known.status == unknown.status == 403
    known.body.pop("request_id"), unknown.body.pop("request_id")
    assert known.body == unknown.body


async def test_people_who_arrive_at_once_become_one_user(browser: Browser) -> None:
    answers = [await browser.answer() for _ in range(4)]
    sessions = await asyncio.gather(*map(browser.finish, answers))
    assert [each.status for each in sessions] == [200] * 4
    assert len({each.body["user"]["id"] for each in sessions}) == 1
    assert len(await browser.identity.rows("user.signed_up")) == 1
    assert await browser.identity.database["identities"].count_documents({}) == 1


async def test_a_slow_issuer_is_not_waited_for(mongo_url: str, database_name: str) -> None:
    async with signing_in(
        mongo_url, database_name, timeouts=replace(PATIENT, issuer=0.2)
    ) as browser:
        waiting = asyncio.Event()

        async def token(request: web.Request) -> web.Response:
            await waiting.wait()
            return web.Response()

        browser.issuer.token = token
        assert (await browser.sign_in()).code == "issuer-unavailable"
        waiting.set()


@pytest.mark.rule("B16")
async def test_a_signed_in_user_links_any_identity_and_signs_in_with_it(browser: Browser) -> None:
    person = await browser.identity.person("bo@elsewhere.example")
    token = person["access_token"]
    linked = (await browser.link(token, "none")).expect(200)
    assert linked["label"] == "None"
    assert await browser.identities(token) == [linked]
    session = (await browser.sign_in("none")).expect(200)
    assert session["user"]["id"] == person["user"]["id"]
    assert (await browser.link(token, "none")).expect(200) == linked
    assert len(await browser.identity.rows("user.identity_linked")) == 1


@pytest.mark.rule("B1")
async def test_an_issuer_proves_no_second_factor(browser: Browser) -> None:
    token = (await browser.identity.person("bo@elsewhere.example"))["access_token"]
    (await browser.link(token, "none")).expect(200)
    app, _ = await browser.identity.add_totp(token)
    without = await browser.sign_in("none")
    assert (without.status, without.body["code"]) == (401, "otp-required")
    used = await browser.sign_in("none", otp=app.code())
    assert (used.status, used.body["code"]) == (401, "wrong-otp")
    (await browser.sign_in("none", otp=app.next_code())).expect(200)


async def go_on(browser: Browser, continuation: str, otp: str) -> Answered:
    body = {"continuation": continuation, "otp": otp}
    return await browser.identity.post("/v1/login/oidc/continue", body)


@pytest.mark.rule("B16")
async def test_a_code_continues_a_sign_in_without_another_visit(browser: Browser) -> None:
    person = await browser.identity.person("bo@elsewhere.example")
    (await browser.link(person["access_token"], "none")).expect(200)
    app, codes = await browser.identity.add_totp(person["access_token"])
    asked = await browser.sign_in("none")
    assert (asked.status, asked.code) == (401, "otp-required")
    continuation = asked.body["continuation"]
    assert (await go_on(browser, continuation, "000000")).code == "wrong-otp"
    assert (await go_on(browser, continuation, app.code())).code == "wrong-otp"  # it was used
    code = app.next_code()
    signed_in = (await go_on(browser, continuation, code)).expect(200)
    assert signed_in["user"]["id"] == person["user"]["id"]
    assert (await go_on(browser, continuation, code)).code == "wrong-otp"
    browser.identity.clock.move(CONTINUATION_LIFETIME.total_seconds())
    assert (await go_on(browser, continuation, codes[0])).code == "sso-sign-in-over"


@pytest.mark.rule("B16")
async def test_what_is_not_a_continuation_signs_no_one_in(browser: Browser) -> None:
    person = await browser.identity.person("bo@elsewhere.example")
    (await browser.link(person["access_token"], "none")).expect(200)
    _, codes = await browser.identity.add_totp(person["access_token"])
    binding = (await browser.begin("none")).expect(200)["binding"]
    passkey = (await browser.identity.post("/v1/login/passkey/begin")).expect(200)["challenge"]
    for forged in (binding, passkey, "AAAA", "x" * 400):
        assert (await go_on(browser, forged, codes[0])).code == "sso-sign-in-over"


@pytest.mark.rule("T5")
async def test_a_user_who_is_disabled_meanwhile_does_not_go_on(browser: Browser) -> None:
    person = await browser.identity.person("bo@elsewhere.example")
    (await browser.link(person["access_token"], "none")).expect(200)
    _, codes = await browser.identity.add_totp(person["access_token"])
    continuation = (await browser.sign_in("none")).body["continuation"]
    path, body = f"/internal/admin/users/{person['user']['id']}/disable", {"reason": "A test."}
    (await browser.identity.post(path, body, token=ADMIN_KEY)).expect(200)
    assert (await go_on(browser, continuation, codes[0])).code == "user-disabled"


@pytest.mark.rule("B16")
async def test_an_identity_of_another_user_cannot_be_linked(browser: Browser) -> None:
    await browser.sign_in()
    person = await browser.identity.person("bo@elsewhere.example")
    assert (await browser.link(person["access_token"])).code == "identity-taken"


@pytest.mark.rule("B16")
async def test_the_answer_of_a_link_counts_for_its_user_alone(browser: Browser) -> None:
    """A stranger's answer links nothing to a victim, and starts no session."""
    ana = await browser.identity.person("ana@elsewhere.example")
    bo = await browser.identity.person("bo@elsewhere.example")
    body = await browser.begin_link(ana["access_token"])
    refused = await browser.identity.post("/v1/me/identities", body, token=bo["access_token"])
    assert refused.code == "sso-sign-in-over"
    assert (await browser.finish(body)).code == "sso-sign-in-over"
    body = await browser.answer()
    refused = await browser.identity.post("/v1/me/identities", body, token=bo["access_token"])
    assert refused.code == "sso-sign-in-over"


@pytest.mark.rule("B16")
async def test_unlinking_ends_the_other_sessions_and_the_way_to_sign_in(browser: Browser) -> None:
    person = await browser.identity.person("ana@corp.example")
    session = (await browser.sign_in()).expect(200)
    [linked] = await browser.identities(person["access_token"])
    removed = await browser.unlink(person["access_token"], linked["id"])
    assert removed.status == 204, removed.text
    assert not await browser.identity.is_live(session)
    assert await browser.identities(person["access_token"]) == []
    assert (await browser.unlink(person["access_token"], linked["id"])).status == 404
    assert (await browser.sign_in("none")).code == "identity-not-linked"
    (told,) = await browser.identity.rows("user.identity_unlinked")
    assert told.data["label"] == "Corp"


@pytest.mark.rule("B16")
async def test_the_last_way_to_sign_in_stays(browser: Browser) -> None:
    session = (await browser.sign_in()).expect(200)
    token = session["access_token"]
    [linked] = await browser.identities(token)
    assert (await browser.unlink(token, linked["id"])).code == "last-sign-in"
    await browser.identity.forgot("ana@corp.example")
    reset = await browser.identity.mailed_reset("ana@corp.example")
    assert (await browser.identity.reset(reset, PASSWORD)).status == 204
    token = (await browser.identity.log_in("ana@corp.example")).expect(200)["access_token"]
    assert (await browser.unlink(token, linked["id"])).status == 204


async def test_of_the_last_two_identities_one_stays(browser: Browser) -> None:
    token = (await browser.sign_in()).expect(200)["access_token"]
    browser.issuer.claims = {"sub": "person-2"}
    (await browser.link(token)).expect(200)
    found = await browser.identities(token)
    both = await asyncio.gather(*(browser.unlink(token, one["id"]) for one in found))
    assert sorted(each.status for each in both) == [204, 409]


async def test_nothing_of_a_sign_in_is_kept_but_a_hash(browser: Browser) -> None:
    answer = await browser.answer()
    (await browser.finish(answer)).expect(200)
    [used] = [row async for row in browser.identity.database["used_sign_ins"].find({})]
    assert used.keys() == {"_id", "delete_at"}
    assert answer["state"] not in used["_id"]


def test_an_elliptic_key_of_another_curve_is_not_taken() -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    row = jwt.get_algorithm_by_name("ES384").to_jwk(other.public_key(), as_dict=True)
    assert key_for(read_keys({"keys": [row]}), None, "ES256") is None
