"""The pages in a real browser: journeys without JavaScript, looks, and what strangers can do."""

import json
import time
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode

import pyotp
import pytest

from deploy.gateway.nginx import configuration
from deploy.gateway.paths import path_owners, public_routes
from deploy.programs.nginx import Nginx
from deploy.programs.program import free_port
from services.console.domain.places import SIGN_IN_WITH
from services.console.settings import NAME as CONSOLE
from shared.contracts.topology import Service
from tests.e2e.looks import looks
from tests.e2e.one_process import OneProcess
from tests.e2e.visitors import PASSWORD, Person, Site, Visitor, chromium
from tests.servers import require_nginx
from tests.support.issuer import CLIENT_ID, CLIENT_SECRET, LocalIssuer, issuer_in_thread

pytestmark = pytest.mark.usefixtures("unmeasured")

NEW_PASSWORD = "another-horse-battery-staple"


@pytest.fixture(scope="module")
def issuer() -> Iterator[LocalIssuer]:
    """An issuer that is another site for browsers."""
    with issuer_in_thread("127.0.0.2") as issuer:
        yield issuer


def connection(issuer: LocalIssuer, name: str, domain: str) -> dict[str, object]:
    return {
        "id": name,
        "label": name.title(),
        "issuer": issuer.url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "trusted_domains": [domain],
    }


@pytest.fixture(scope="module")
def product(
    unmeasured: None, issuer: LocalIssuer, tmp_path_factory: pytest.TempPathFactory
) -> OneProcess:
    """The product at a name, which passkeys need, where people can sign in with the issuer."""
    connections = [connection(issuer, "acme", "*"), connection(issuer, "works", "works.example")]
    options = {
        "PUBLIC_URL": f"http://localhost:{free_port()}",
        "ROLECALL_IDENTITY_SSO_NETWORKS": '["127.0.0.0/8"]',
        "ROLECALL_IDENTITY_SSO_CONNECTIONS": json.dumps(connections),
    }
    return OneProcess(tmp_path_factory.mktemp("product") / "one", options=options)


@pytest.fixture(scope="module")
def site(product: OneProcess) -> Iterator[Site]:
    folder, url = product.folder.parent, product.options["PUBLIC_URL"]
    port = int(url.rpartition(":")[2])
    upstream = [f"127.0.0.1:{product.port}"]
    owners = path_owners(public_routes())
    text = configuration(
        owners,
        listen=f"127.0.0.1:{port}",
        static=str(folder),
        addresses=dict.fromkeys((*Service, CONSOLE), upstream),
        limits_factor=100,
    )
    server = Nginx(folder / "nginx", text, port=port)
    require_nginx()
    try:
        product.start()
        server.start()
        with chromium() as browser:
            mail = product.deployment().mail
            yield Site(browser=browser, url=url, mail=mail)
    finally:
        server.stop()
        product.stop()


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    with site.visitor() as visitor:
        yield visitor


@pytest.fixture(scope="module")
def owner(site: Site) -> Person:
    """The owner of a team."""
    owner = site.known_person("Ada Owner")
    body = {"name": "Analytical Engines", "catalog": "standard"}
    site.send(f"/v1/accounts/{owner.account_id}/convert", body, token=owner.token)
    return owner


def invite(site: Site, owner: Person, person: Person, *, by: str = "email") -> str:
    """The link of a new invitation."""
    made = site.send(
        f"/v1/accounts/{owner.account_id}/invitations",
        {"email": person.email, "role": "developer", "delivery": by},
        token=owner.token,
    )
    shown = made["link"]["url"] if by == "link" else ""
    return site.here(shown) if shown else site.link_to(person.email, "invited you")


def pending(site: Site, owner: Person) -> set[str]:
    """The addresses of the open invitations."""
    return {one["email"] for one in listed(site, owner, "invitations")}


def members(site: Site, owner: Person) -> set[str]:
    """The addresses of the members."""
    return {one["email"] for one in listed(site, owner, "members")}


def listed(site: Site, owner: Person, what: str):
    path = f"/v1/accounts/{owner.account_id}/{what}?limit=100"
    return site.get(path, token=owner.token)["items"]


@pytest.mark.rule("B1", "T11")
def test_a_person_signs_up_verifies_signs_out_and_in_and_resets(
    site: Site, visitor: Visitor
) -> None:
    ana = site.new_person()
    visitor.open("/sign-up")
    visitor.fill(name=ana.name, email=ana.email)
    visitor.press("Send me the link")
    assert (visitor.path, visitor.title) == ("/sign-up/sent", "Check your e-mail")
    assert visitor.page.input_value("[name=email]") == ana.email
    visitor.press("Send it again")
    assert "its mail was sent again" in visitor.text
    assert visitor.page.input_value("[name=email]") == ana.email

    visitor.open(site.link_to(ana.email, "verify"))
    assert visitor.path == "/verify"  # without the link's secret
    visitor.fill(name="Ana Maria", password="short")
    visitor.press("Verify and sign in")
    assert "must have at least 10 characters" in visitor.text
    assert visitor.page.input_value("[name=name]") == "Ana Maria"
    assert visitor.page.input_value("[name=password]") == ""
    visitor.fill(password=PASSWORD)
    visitor.press("Verify and sign in")
    assert visitor.path == "/console"
    assert "Ana Maria" in visitor.text
    first = visitor.cookie("__Host-rolecall_session")

    visitor.sign_out()
    assert visitor.text.startswith("Sign in You are signed out.")
    assert not visitor.signed_in
    visitor.sign_in(ana)
    assert visitor.path == "/console"
    assert visitor.cookie("__Host-rolecall_session") not in {"", first}

    visitor.sign_out()
    visitor.follow("Forgot your password?")
    visitor.fill(email=ana.email)
    visitor.press("Send me the link")
    assert visitor.path == "/forgot-password/sent"
    visitor.open(site.link_to(ana.email, "reset"))
    visitor.fill(password=NEW_PASSWORD)
    visitor.press("Change the password")
    assert "Your password was changed." in visitor.text
    visitor.sign_in(ana)
    assert "The e-mail address or the password is wrong." in visitor.text
    assert visitor.page.input_value("[name=email]") == ana.email
    visitor.sign_in(ana, NEW_PASSWORD)
    assert visitor.path == "/console"


@pytest.mark.rule("Ro8", "T12")
def test_a_new_person_joins_a_team_by_a_mailed_invitation(
    site: Site, visitor: Visitor, owner: Person
) -> None:
    bea = site.new_person("Bea New")
    link = invite(site, owner, bea)
    for _ in range(3):
        visitor.open(link)
    assert visitor.path == "/invitations"
    assert "Ada Owner invites you to the team Analytical Engines." in visitor.text
    assert bea.email in pending(site, owner)
    visitor.fill(name=bea.name, password=PASSWORD)
    visitor.press("Create the account and join")
    assert visitor.path == f"/console/accounts/{owner.account_id}/members?done=joined"
    assert "You have joined this account." in visitor.text
    assert bea.email in members(site, owner)


def test_a_link_that_was_handed_over_proves_no_address(
    site: Site, visitor: Visitor, owner: Person
) -> None:
    eve = site.new_person("Eve Handed")
    visitor.open(invite(site, owner, eve, by="link"))
    visitor.fill(name=eve.name)
    visitor.press("Create the account")
    assert visitor.path == "/sign-up/sent"
    visitor.open(site.link_to(eve.email, "verify"))
    visitor.fill(password=PASSWORD)
    visitor.press("Verify and sign in")
    assert visitor.path == "/invitations"  # where the person was
    visitor.press("Join the team")
    assert "You have joined this account." in visitor.text
    assert eve.email in members(site, owner)


def test_an_invitation_of_another_user_names_both_and_can_be_switched(
    site: Site, visitor: Visitor, owner: Person
) -> None:
    kai, other = site.known_person(), site.known_person("Oda Other")
    visitor.sign_in(other)
    visitor.open(invite(site, owner, kai))
    assert f"You are signed in as {other.email}" in visitor.text
    assert f"this invitation is for {kai.email}" in visitor.text
    visitor.press(f"Try to join as {other.email}")
    assert "it is for another address" in visitor.text
    assert kai.email in pending(site, owner)
    visitor.press("Sign out and switch user")
    visitor.sign_in(kai)
    assert visitor.path == "/invitations"
    visitor.press("Join the team")
    assert "You have joined this account." in visitor.text
    assert kai.email in members(site, owner)
    assert other.email not in members(site, owner)


def test_an_invitation_is_declined_by_a_press_and_without_signing_in(
    site: Site, visitor: Visitor, owner: Person
) -> None:
    dee = site.new_person("Dee Clines")
    link = invite(site, owner, dee)
    visitor.open(link)
    visitor.press("Decline the invitation")
    assert "You declined the invitation." in visitor.text
    assert dee.email not in pending(site, owner)
    visitor.open(link)
    assert visitor.title == "This invitation is not valid any more"


@pytest.mark.rule("T25")
def test_forms_of_another_site_change_nothing(site: Site, visitor: Visitor, owner: Person) -> None:
    kai = site.known_person()
    link = invite(site, owner, kai)
    visitor.sign_in(kai)
    visitor.open(link)
    fields = {
        name: visitor.page.input_value(f"form:has-text('Join the team') [name={name}]")
        for name in ("token", "code", "form")
    }
    inputs = "".join(f"<input name={name} value='{text}'>" for name, text in fields.items())
    for path, button in (
        ("/invitations", "accept"),
        ("/invitations", "decline"),
        ("/sign-out", ""),
    ):
        visitor.open_foreign(
            f"<form method=post action='{site.url}{path}'>{inputs}"
            f"<button name=press value='{button}'>Win</button></form>"
        )
        visitor.press("Win")
        assert "came from another site" in visitor.text
    assert kai.email in pending(site, owner)
    visitor.open("/console")
    assert visitor.title == "Your accounts"


@pytest.mark.rule("T25")
def test_no_other_site_can_frame_a_page(site: Site, visitor: Visitor) -> None:
    with visitor.page.expect_console_message():
        visitor.open_foreign(f"<iframe src='{site.url}/sign-in'></iframe>")
    [refused] = visitor.faults  # what the browser says to the page around it
    assert "frame-ancestors 'none'" in refused
    visitor.faults.clear()


@pytest.mark.rule("T11", "T25")
def test_a_form_of_before_a_sign_in_is_shown_again(site: Site, visitor: Visitor) -> None:
    kai, other = site.known_person(), site.known_person("Oda Other")
    visitor.sign_in(kai)
    old = visitor.other_tab()
    old.open("/sign-out")
    visitor.sign_out()
    visitor.sign_in(other)
    with old.page.expect_navigation():
        old.page.get_by_role("button", name="Sign out").last.click()
    assert "Nothing was changed" in old.text
    visitor.open("/console")
    assert other.email in visitor.text


def test_back_and_reload_repeat_nothing(site: Site, visitor: Visitor) -> None:
    kai = site.known_person()
    visitor.sign_in(kai)
    assert visitor.path == "/console"
    visitor.page.reload()
    assert visitor.title == "Your accounts"
    visitor.page.go_back()
    assert visitor.path == "/console"  # the form of a signed-in user leads on
    visitor.sign_out()
    visitor.page.go_back()
    assert visitor.path.startswith("/sign-in")  # nothing of the session is kept


def test_a_session_that_ended_elsewhere_leads_to_sign_in_and_back(
    site: Site, visitor: Visitor
) -> None:
    kai = site.known_person()
    visitor.sign_in(kai)
    body = {"current": PASSWORD, "new": NEW_PASSWORD}
    site.send("/v1/me/password", body, token=kai.token)
    visitor.open("/console")
    assert visitor.text.startswith("Sign in Your session has ended.")
    visitor.sign_in(kai, NEW_PASSWORD)
    assert visitor.path == "/console"


def test_the_keyboard_alone_signs_in_corrects_a_fault_and_signs_out(
    site: Site, visitor: Visitor
) -> None:
    kai = site.known_person()
    visitor.open("/sign-in")
    for password, title in ((NEW_PASSWORD, "Sign in"), (PASSWORD, "Your accounts")):
        visitor.tab_to("[name=email]")
        visitor.page.keyboard.press("Control+A")
        visitor.page.keyboard.type(kai.email)
        visitor.tab_to("[name=password]")
        visitor.page.keyboard.type(password)
        visitor.press_key("Enter")
        assert visitor.title == title
    visitor.tab_to("header .menu:not(.switcher) summary")
    visitor.page.keyboard.press("Enter")
    visitor.tab_to("header .menu:not(.switcher) button")
    visitor.press_key("Space")
    assert "You are signed out." in visitor.text
    visitor.tab_to(f"a[href^='{SIGN_IN_WITH}']")
    visitor.press_key("Enter")
    assert visitor.title == "Continue with your company"


@pytest.mark.rule("T18")
def test_no_process_of_this_machine_names_another_address(site: Site, product: OneProcess) -> None:
    kai = site.known_person()
    sent = {"Content-Type": "application/json", "X-Forwarded-For": "203.0.113.9"}
    body = json.dumps({"email": kai.email, "password": PASSWORD}).encode()
    request = urllib.request.Request(f"{product.url}/v1/login", body, sent)
    with urllib.request.urlopen(request, timeout=30) as answer:
        token = json.load(answer)["access_token"]
    found = site.get(f"{product.url}/v1/me/sessions", token=token)["items"]
    assert len(found) == 2
    assert {one["network"] for one in found} == {"127.0.0.1"}


@pytest.mark.rule("B16")
def test_people_sign_in_with_an_issuer_that_is_another_site(
    site: Site, visitor: Visitor, issuer: LocalIssuer
) -> None:
    ana = site.new_person()
    issuer.person = {"sub": "1", "email": ana.email, "email_verified": True, "name": ana.name}
    visitor.open("/sign-in?to=/console")
    issuer.refuses = "access_denied"
    visitor.press_and_return("Continue with Acme")
    assert "You did not allow the sign-in" in visitor.text
    issuer.refuses = ""
    visitor.press_and_return("Continue with Acme")
    assert (visitor.path, visitor.title) == ("/console", "Your accounts")
    assert ana.email in visitor.text
    visitor.sign_out()
    visitor.follow("Continue with your company")
    visitor.fill(email=ana.email)
    visitor.press("Continue")
    assert "has no sign-in with a company" in visitor.text
    issuer.person |= {"sub": "2", "email": ana.email.replace("example.com", "works.example")}
    visitor.fill(email=issuer.person["email"])
    visitor.press_and_return("Continue")
    assert issuer.person["email"] in visitor.text


@pytest.mark.rule("B16", "T25")
def test_an_issuers_answer_of_a_stranger_signs_no_one_in(
    site: Site, visitor: Visitor, issuer: LocalIssuer
) -> None:
    eve = site.new_person("Eve Stranger")
    issuer.person = {"sub": "3", "email": eve.email, "email_verified": True, "name": eve.name}
    begun = site.send("/v1/login/oidc/begin", {"connection": "acme"})
    answer = issuer.browse(begun["authorization_url"])
    callback = answer.pop("redirect_uri")
    visitor.open_foreign(f"<a href='{callback}?{urlencode(answer)}'>Win</a>")
    visitor.follow("Win")
    assert "Begin it again" in visitor.text
    assert not visitor.signed_in


@pytest.mark.rule("B1")
def test_a_user_with_a_second_factor_enters_a_code_or_a_recovery_code(
    site: Site, visitor: Visitor
) -> None:
    kai = site.known_person()
    secret = site.send("/v1/me/mfa/totp", {}, token=kai.token)["secret"]
    app = pyotp.TOTP(secret)
    code = app.now()
    confirmed = site.send("/v1/me/mfa/totp/confirm", {"otp": code}, token=kai.token)
    recovery_code = confirmed["recovery_codes"][0]

    visitor.open("/sign-in?to=/invitations")
    visitor.sign_in(kai)
    assert visitor.title == "Confirm that it is you"
    assert PASSWORD not in visitor.page.content()
    for used in (code, "000000"):
        visitor.fill(otp=used)
        visitor.press("Sign in")
        assert "This code is wrong" in visitor.text
        assert not visitor.signed_in
    visitor.fill(otp=app.at(time.time(), counter_offset=1))
    visitor.press("Sign in")
    assert visitor.path == "/invitations"
    visitor.sign_out()
    visitor.sign_in(kai)
    visitor.fill(otp=recovery_code.lower().replace("-", " "))
    visitor.press("Sign in")
    assert visitor.title == "Your accounts"
    visitor.sign_out()
    visitor.sign_in(kai)
    visitor.fill(otp=recovery_code)
    visitor.press("Sign in")
    assert "This code is wrong or was used already" in visitor.text


@pytest.mark.rule("B1", "T25")
def test_a_person_adds_an_app_saves_the_codes_and_removes_it(site: Site) -> None:
    kai = site.known_person()
    with site.visitor() as visitor:
        visitor.sign_in(kai)
        visitor.follow("Sign-in security")
        visitor.press("Add an app")
        app = pyotp.TOTP((visitor.page.text_content(".secret") or "").replace(" ", ""))
        visitor.fill(otp="000000")
        visitor.press("Add the app")
        assert "This code is wrong" in visitor.text
        visitor.fill(otp=app.now())
        visitor.press("Add the app")
        assert visitor.title == "Save your recovery codes"
        recovery_code = visitor.page.locator(".codes li").first.inner_text()
        visitor.follow("I have saved them")
        assert "10 left." in visitor.text
        visitor.sign_out()
        visitor.open("/security")
        visitor.sign_in(kai)
        visitor.fill(otp=recovery_code)
        visitor.press("Sign in")
        assert visitor.path == "/security"
        assert "9 left." in visitor.text
        visitor.press("Remove the app")
        visitor.press("Remove the app")
        assert "The authenticator app was removed." in visitor.text


AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.mark.rule("B1")
def test_a_person_sees_where_they_are_signed_in_and_ends_it(site: Site) -> None:
    kai = site.known_person()
    with site.visitor(javascript=True) as here, site.visitor() as there:
        here.sign_in(kai)
        there.sign_in(kai)
        here.open("/security/sessions")
        faults = looks(here, name="sessions")
        assert here.text.count("last used on") == 3  # that of the sign-up, and two browsers
        assert here.text.count("This browser") == 1
        here.follow("End all other sessions")
        here.press("End 2 sessions")
        assert "You are signed in nowhere else." in here.text
        there.open("/console")
        assert there.title == "Sign in"
        here.open("/console")
        assert here.signed_in
    assert faults == []


@pytest.mark.rule("B1", "T25")
def test_a_passkey_signs_in_and_a_page_without_a_script_names_other_ways(
    site: Site, visitor: Visitor
) -> None:
    kai = site.known_person()
    with site.visitor(javascript=True) as holder:
        devices = holder.context.new_cdp_session(holder.page)
        devices.send("WebAuthn.enable")
        added = devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        holder.sign_in(kai)
        holder.follow("Sign-in security")
        holder.follow("Add a passkey")
        faults = looks(holder, name="no passkeys")
        holder.press("Add a passkey")
        faults += looks(holder, name="a new passkey")
        holder.fill(name="Laptop")
        holder.press("Create the passkey")
        assert holder.title == "Save your recovery codes"
        holder.follow("I have saved them")
        assert holder.path == "/security/passkeys"
        faults += looks(holder, name="passkeys")
        holder.fill(name="Old laptop")
        holder.press("Rename Laptop")
        assert "Old laptop" in holder.page.content()
        holder.sign_out()
        one = {"authenticatorId": added["authenticatorId"]}

        holder.open("/sign-in?to=/invitations")
        holder.page.get_by_role("link", name="Use a passkey").click()
        holder.page.wait_for_url(f"{site.url}/invitations")
        assert holder.signed_in
        holder.sign_out()

        devices.send("WebAuthn.setUserVerified", {**one, "isUserVerified": False})
        holder.open("/sign-in/passkey")
        holder.page.get_by_text("No passkey was used.").wait_for()
        assert not holder.signed_in
        devices.send("WebAuthn.setUserVerified", {**one, "isUserVerified": True})
        holder.page.get_by_role("button", name="Use a passkey").click()
        holder.page.wait_for_url(f"{site.url}/console")
        assert kai.email in holder.text
        holder.open("/security/passkeys")
        holder.press("Remove Old laptop")
        holder.press("Remove the passkey")
        assert "You have none." in holder.text
    assert faults == []
    visitor.open("/sign-in/passkey")
    assert "Passkeys need JavaScript." in visitor.text
    visitor.follow("Sign in another way")
    assert visitor.title == "Sign in"


NAUGHTY = (
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    "{{7*7}}",
    "&lt;b&gt; & <b>",
)


@pytest.mark.rule("T24")
def test_names_are_shown_as_text(site: Site) -> None:
    kai = site.known_person()
    with site.visitor(javascript=True) as visitor:
        visitor.sign_in(kai)
        for name in NAUGHTY:
            site.send("/v1/me", {"name": name}, token=kai.token, method="PATCH")
            visitor.page.reload()
            assert name in visitor.text
        visitor.sign_out()
        visitor.fill(email="a@b.example", password="x")
        visitor.page.fill("[name=email]", '"><script>alert(1)</script>@example.com')
        visitor.page.evaluate("document.forms[0].noValidate = true")
        visitor.press("Sign in")
        assert visitor.page.input_value("[name=email]").startswith('"><script>')


@pytest.mark.rule("B12")
def test_the_number_of_notifications_follows_while_a_page_is_open(site: Site) -> None:
    kai, new = site.known_person(), site.new_person()
    with site.visitor(javascript=True) as visitor:
        visitor.sign_in(kai)
        visitor.open("/notifications")
        with visitor.page.expect_request("**/notifications/live"):
            visitor.page.reload()
        body = {"email": new.email, "password": PASSWORD}
        site.send("/v1/me/email", body, token=kai.token)
        visitor.follow("Show them")
        assert "address" in visitor.text
        other = visitor.other_tab()
        other.open("/notifications")
        other.press("Mark all as read")
        visitor.page.locator(".count").wait_for(state="hidden")
        assert "Unread" in visitor.text  # the page itself stays as it was read


LINES = """part => {
  const range = document.createRange();
  range.selectNodeContents(part);
  return new Set([...range.getClientRects()].map(one => one.top)).size;
}"""
"""How many lines the text of a part has."""


@pytest.mark.rule("B1")
def test_a_new_address_is_confirmed_by_its_user_and_taken_back(site: Site) -> None:
    kai, new = site.known_person(), site.new_person()
    body = {"email": new.email, "password": PASSWORD}
    site.send("/v1/me/email", body, token=kai.token)
    with site.visitor(javascript=True) as visitor:
        visitor.open(site.link_to(new.email, "confirm"))
        assert visitor.title == "Sign in"
        visitor.sign_in(kai)
        assert visitor.path == "/confirm-email"
        assert new.email in visitor.text
        faults = looks(visitor, name="a new address")
        visitor.press("Use the new address")
        assert "Your new address counts from now on." in visitor.text
        assert new.email in visitor.text
        visitor.open(site.link_to(kai.email, "was changed"))
        faults += looks(visitor, name="a former address")
        assert (visitor.path, visitor.signed_in) == ("/undo-email", True)
        visitor.press("Restore the address")
        assert "Your former address counts again" in visitor.text
        assert not visitor.signed_in
        visitor.open(site.link_to(kai.email, "was changed"))
        assert "Your former address counts again" in visitor.text
    assert faults == []


def lines(visitor: Visitor) -> dict[str, int]:
    """How many lines the text of each control beside a name has."""
    parts = visitor.page.query_selector_all(".badge, .accounts button")
    return {str(one.text_content()).strip(): visitor.page.evaluate(LINES, one) for one in parts}


def test_a_long_name_leaves_each_control_on_one_line(site: Site, owner: Person) -> None:
    kai = site.known_person("Öztürk & Söhne, ".ljust(76, "W"))
    with site.visitor(javascript=True) as visitor:
        visitor.open(invite(site, owner, kai))
        visitor.press("Sign in to join")
        visitor.sign_in(kai)
        visitor.press("Join the team")
        visitor.open("/console")
        for current in ("Analytical Engines", kai.name):
            assert current in str(visitor.page.text_content("li:has(.badge)"))
            for width in (360, 1280):
                visitor.resize(width)
                assert lines(visitor) == {"Current": 1, "Switch": 1}
                assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
            visitor.press(f"Switch to {'Analytical Engines' if current == kai.name else kai.name}")


def test_every_page_is_accessible_in_both_themes_and_fits_a_phone(
    site: Site, owner: Person
) -> None:
    kai, new = site.known_person(), site.new_person("N" * 60)
    site.send("/v1/password/forgot", {"email": kai.email})
    site.send("/v1/signup", {"email": new.email, "name": new.name})
    links = {
        "verification": site.link_to(new.email, "verify"),
        "password reset": site.link_to(kai.email, "reset"),
        "invitation of a new person": invite(site, owner, site.new_person()),
        "invitation": invite(site, owner, kai),
    }
    faults: list[str] = []
    with site.visitor(javascript=True) as visitor:
        for path in (
            "/sign-in",
            "/sign-in?done=expired",
            "/sign-in/company",
            "/sign-in/passkey",
            "/sign-up",
            "/sign-up/sent",
            "/forgot-password",
            "/forgot-password/sent",
            "/verify",
            "/reset-password",
            "/invitations",
            "/verify?token=x",
            "/no/such/page",
        ):
            visitor.open(path)
            faults += looks(visitor, name=path)
        for name, link in links.items():
            visitor.open(link)
            faults += looks(visitor, name=name)
        visitor.open("/verify")
        visitor.fill(password="short")
        visitor.press("Verify and sign in")
        faults += looks(visitor, name="a field with a fault")
        visitor.open("/sign-in")
        visitor.sign_in(kai, "wrong")
        faults += looks(visitor, name="a form with a fault")
        visitor.sign_in(kai)
        faults += looks(visitor, name="home")
        visitor.open("/security")
        visitor.press("Add an app")
        faults += looks(visitor, name="an app")
        for path in (
            *("/security", "/security/sessions", "/notifications", "/notifications/settings"),
            *("/console/profile", "/console/profile/delete", "/sign-out", "/invitations"),
        ):
            visitor.open(path)
            faults += looks(visitor, name=path)
    assert faults == []
