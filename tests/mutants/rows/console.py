"""Mutants of the console: cookies, marks, origins, links and what the gateway writes of them."""

from tests.mutants.mutant import Kind, Mutant

RULES = ("tests/services/console/test_rules.py",)
PAGES = ("tests/services/console/test_pages.py",)
GATEWAY = ("tests/services/console/test_gateway.py",)
DOMAIN = "services/console/domain"
ROUTES = "services/console/routes"

ROWS = (
    Mutant(
        id="page-press-needs-no-mark",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/pages.py",
        old="            if visit.form_fits():\n",
        new="            if True:\n",
        tests=PAGES,
    ),
    Mutant(
        id="page-press-comes-from-any-site",
        kind=Kind.SECURITY,
        file=f"{DOMAIN}/origins.py",
        old="return fetch_site not in OWN_SITES",
        new="return False",
        tests=RULES,
    ),
    Mutant(
        id="page-mark-is-of-any-browser",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/visits.py",
        old="marked(FORM_MARK, secret, mark)",
        new="marked(FORM_MARK, self.form_secret, mark) or bool(mark)",
        tests=PAGES,
    ),
    Mutant(
        id="page-mark-outlives-a-sign-in",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/visits.py",
        old="        self.form_secret = self._new_form_secret()\n        self._keep_session(",
        new="        self._keep_session(",
        tests=PAGES,
    ),
    Mutant(
        id="page-cookie-can-be-read-by-scripts",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/answers.py",
        old="httponly=True",
        new="httponly=False",
        tests=PAGES,
    ),
    Mutant(
        id="page-seal-of-one-purpose-opens-another",
        kind=Kind.SECURITY,
        file=f"{DOMAIN}/sealing.py",
        old="info=purpose.encode()",
        new='info=b""',
        tests=RULES,
    ),
    Mutant(
        id="page-cookie-that-cannot-be-opened-is-an-error",
        kind=Kind.AVAILABILITY,
        file=f"{DOMAIN}/sealing.py",
        old="        except InvalidToken:\n            return {}\n",
        new="        except KeyError:\n            return {}\n",
        tests=RULES,
    ),
    Mutant(
        id="page-sign-in-leads-anywhere",
        kind=Kind.SECURITY,
        file=f"{DOMAIN}/places.py",
        old="return asked if asked in DESTINATIONS else HOME",
        new="return asked or HOME",
        tests=RULES,
    ),
    Mutant(
        id="page-acts-on-the-link-that-was-opened-last",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/visits.py",
        old='if token := self.typed.get("token"):',
        new='if token := self.typed.get("no-token"):',
        tests=PAGES,
    ),
    Mutant(
        id="page-sign-out-is-said-before-it-is-true",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/visits.py",
        old="contextlib.suppress(SignedOut):",
        new="contextlib.suppress(SignedOut, ApiRefusal):",
        tests=PAGES,
    ),
    Mutant(
        id="page-second-step-is-of-any-browser",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/visits.py",
        old='"password": password, "of": self.form_secret}',
        new='"password": password, "of": ""}',
        tests=PAGES,
    ),
    Mutant(
        id="page-visitor-is-the-console",
        kind=Kind.LIMIT,
        file="services/console/adapters/api.py",
        old='            "X-Forwarded-For": self.address,\n',
        new="",
        tests=GATEWAY,
    ),
    Mutant(
        id="gateway-believes-each-sender-at-the-consoles-listener",
        kind=Kind.SECURITY,
        file="deploy/gateway/servers.py",
        old='set_real_ip_from {network};" for',
        new='set_real_ip_from 0.0.0.0/0;" for',
        tests=(*GATEWAY, "-k", "names_visitors"),
    ),
    Mutant(
        id="gateway-listens-for-the-console-on-every-network",
        kind=Kind.SECURITY,
        file="deploy/gateway/servers.py",
        old="addresses.append((console.listen, ",
        new='addresses.append((console.listen.rpartition(":")[2], ',
        tests=(*GATEWAY, "-k", "names_visitors"),
    ),
    Mutant(
        id="console-shares-a-network-with-other-containers",
        kind=Kind.SECURITY,
        file="docker-compose.yml",
        old="      - services\n      - broker\n      - database\n      - mails\n",
        new="      - services\n      - broker\n      - database\n      - mails\n      - pages\n",
        tests=("tests/deploy/test_compose.py", "-k", "needs or visitors"),
    ),
    Mutant(
        id="gateway-logs-the-links-of-pages",
        kind=Kind.SECURITY,
        file="deploy/gateway/pages.py",
        old="if path in LINK_PATHS",
        new="if not LINK_PATHS",
        tests=GATEWAY,
    ),
)
