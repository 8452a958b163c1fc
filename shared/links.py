"""What is the secret of a mailed or shown link, when no secret is stored anywhere?

It is derived when asked for: `HMAC-SHA256(link key of the owning service, kind ‖ id ‖ generation)`.
A resend is generation + 1, so that only the newest link works. The owner compares the generation
with its own row; what is proved here is only that this service made the token.
"""

import hmac
import re
from base64 import b32encode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

_TOKEN = re.compile(r"([a-z]{3}_[0-9a-f]{32})\.([1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})", re.ASCII)
# Base32 has no 0, 1, 8 or 9, so nothing in a code is mistaken for a letter when read aloud.
CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Link:
    """What a token names."""

    id: str
    generation: int


class Links:
    """Makes and reads the links of one kind (`verification`, `invitation`)."""

    def __init__(self, key: bytes, kind: str) -> None:
        if len(key) < 32:
            raise ValueError("A link key has 32 bytes at least.")
        self._key = key
        self._kind = kind

    def token(self, link: Link) -> str:
        """`<id>.<generation>.<mac>`, safe in a URL's fragment."""
        mac = urlsafe_b64encode(self._mac("token", link)).rstrip(b"=").decode()
        return f"{link.id}.{link.generation}.{mac}"

    def code(self, link: Link) -> str:
        """Eight characters that a person can type."""
        return b32encode(self._mac("code", link))[:CODE_LENGTH].decode()

    def read(self, token: str) -> Link | None:
        """What the token names, or `None` when this service did not make it."""
        fields = _TOKEN.fullmatch(token)
        if fields is None:
            return None
        link = Link(id=fields[1], generation=int(fields[2]))
        return link if hmac.compare_digest(self.token(link), token) else None

    def fits(self, link: Link, code: str) -> bool:
        """Whether `code` belongs to the link; letters may be small, and grouped as typed."""
        typed = re.sub(r"[\s-]", "", code).upper()
        return hmac.compare_digest(self.code(link).encode(), typed.encode())

    def _mac(self, part: str, link: Link) -> bytes:
        # Lengths are fixed by the separators: none of the fields can hold a zero byte.
        message = "\0".join((self._kind, part, link.id, str(link.generation)))
        return hmac.new(self._key, message.encode(), sha256).digest()
