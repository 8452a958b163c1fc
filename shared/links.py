"""Secret links that are derived on demand and stored nowhere.

The secret is `HMAC-SHA256(link key of the owning service, kind ‖ id ‖ generation)`. A resend
increases the generation, and only the newest link works. The owner compares the generation with its
own row; this module only proves that the service made the token.
"""

import hmac
import re
from base64 import b32encode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from shared import context
from shared.metrics import FORMER_KEY_USES

_TOKEN = re.compile(r"([a-z]{3}_[0-9a-f]{32})\.([1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})", re.ASCII)
# Base32 has no 0, 1, 8 or 9: no digit of a code is mistaken for a letter.
CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Link:
    """The id and generation that a token names."""

    id: str
    generation: int


class Links:
    """Makes and reads the links of one kind (`verification`, `invitation`)."""

    def __init__(self, key: bytes, kind: str, *, former: Sequence[bytes] = ()) -> None:
        """`former` keys make nothing more; what they made is accepted, and counted."""
        self._keys = (key, *former)
        if min(map(len, self._keys)) < 32:
            raise ValueError("A link key must have at least 32 bytes.")
        self._kind = kind

    def token(self, link: Link) -> str:
        """Make the token `<id>.<generation>.<mac>`, which is safe in a URL's fragment."""
        return self._token(link, self._keys[0])

    def code(self, link: Link) -> str:
        """Make the code: eight characters that a person can type."""
        return self._code(link, self._keys[0])

    def read(self, token: str) -> Link | None:
        """Return what the token names, or None when this service did not make it."""
        fields = _TOKEN.fullmatch(token)
        if fields is None:
            return None
        link = Link(id=fields[1], generation=int(fields[2]))
        return link if self._made(lambda key: self._token(link, key), token) else None

    def fits(self, link: Link, code: str) -> bool:
        """Return whether `code` belongs to the link; case, blanks and hyphens are ignored."""
        typed = re.sub(r"[\s-]", "", code).upper()
        return self._made(lambda key: self._code(link, key), typed)

    def _made(self, make: Callable[[bytes], str], given: str) -> bool:
        """Return whether one of the keys makes this text."""
        found = [hmac.compare_digest(make(key).encode(), given.encode()) for key in self._keys]
        if any(found) and not found[0]:
            FORMER_KEY_USES.labels(context.service.get(), self._kind).inc()
        return any(found)

    def _token(self, link: Link, key: bytes) -> str:
        mac = urlsafe_b64encode(self._mac("token", link, key)).rstrip(b"=").decode()
        return f"{link.id}.{link.generation}.{mac}"

    def _code(self, link: Link, key: bytes) -> str:
        return b32encode(self._mac("code", link, key))[:CODE_LENGTH].decode()

    def _mac(self, part: str, link: Link, key: bytes) -> bytes:
        # The separators make the message unambiguous: no field can contain a zero byte.
        message = "\0".join((self._kind, part, link.id, str(link.generation)))
        return hmac.new(key, message.encode(), sha256).digest()
