"""TLS at the gateway: its certificate, its protocols, and the way from http to https."""

from dataclasses import dataclass

from deploy.gateway.problems import ERROR_PAGES

Version = tuple[int, ...]
"""Numbers of a version, the most significant first."""
HTTP2_DIRECTIVE: Version = (1, 25, 1)
"""The first version of nginx in which HTTP/2 is a directive of its own, no word of `listen`."""
HSTS_SECONDS = 63_072_000
"""Two years, in which a browser that was here asks by https alone."""
# The suites for TLS 1.2 that keep earlier sessions secret when the key gets known, and authenticate
# what they encrypt. TLS 1.3 has no others.
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
    ":ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
    ":ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
REDIRECT = """\
  server {{
    listen {listen};
    {error_pages}
    location / {{ return 308 {public_url}$request_uri; }}

    {problems}
  }}
"""


@dataclass(frozen=True, kw_only=True)
class Tls:
    """The files of the certificate, and where http is told to come back by https."""

    certificate: str
    """A PEM file: the gateway's certificate, and those between it and the authority."""
    key: str
    """A PEM file with the private key."""
    redirect_from: str = ""
    """The address and port that answer http with the https address; empty: none does."""
    public_url: str = ""
    """The https address of the gateway. The redirect never repeats what the sender named."""

    def listen(self, address: str, version: Version) -> str:
        """What follows the word `listen`."""
        return f"{address} ssl" if version >= HTTP2_DIRECTIVE else f"{address} ssl http2"

    def directives(self, version: Version) -> str:
        """The directives of the server that speaks TLS."""
        lines = [
            *(["http2 on;"] if version >= HTTP2_DIRECTIVE else []),
            f"ssl_certificate {self.certificate};",
            f"ssl_certificate_key {self.key};",
            "ssl_protocols TLSv1.2 TLSv1.3;",
            f"ssl_ciphers {CIPHERS};",
            "ssl_prefer_server_ciphers off;",
            "ssl_session_cache shared:tls:10m;",
            "ssl_session_timeout 1d;",
            # A ticket's key would have to change often for earlier sessions to stay secret.
            "ssl_session_tickets off;",
        ]
        return "".join(f"\n    {line}" for line in lines)

    @property
    def redirect(self) -> str:
        """The server that answers http, if there is one."""
        if not self.redirect_from:
            return ""
        return REDIRECT.format(
            listen=self.redirect_from,
            public_url=self.public_url,
            error_pages="\n    ".join(page.error_page for page in ERROR_PAGES),
            problems="\n    ".join(page.locations for page in ERROR_PAGES),
        )
