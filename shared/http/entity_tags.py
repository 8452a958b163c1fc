"""Answers that show the state of a resource, with the entity tag of that state."""

import hashlib
import json
from typing import ClassVar

from pydantic import computed_field

from rolecall.client.jwk import encode
from shared.http.preconditions import SHOWN
from shared.http.routes import Answer

DIGEST_BYTES = 16


class TaggedAnswer(Answer):
    """The state of a resource, as its single read shows it.

    The tag is a digest of the state. It changes with what the answer shows and with nothing else,
    and after a restore it names the same state as before. `beside_the_state` are the members that a
    subclass adds to the answer of a write, or that no change is about.

    Of those, a reader waits for `awaited`: the tag of a read names them behind the state, so that
    304 is answered only while they are the same.
    """

    beside_the_state: ClassVar[frozenset[str]] = frozenset()
    awaited: ClassVar[frozenset[str]] = frozenset()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def etag(self) -> str:
        """The entity tag of this state. Send it as `If-Match` with a change."""
        return f'"{self._digest_without({"etag", *self.beside_the_state})}"'

    @property
    def read_tag(self) -> str:
        """The entity tag of all that a read shows; it begins with that of the state."""
        if not self.awaited:
            return self.etag
        shown = self._digest_without({"etag", *(self.beside_the_state - self.awaited)})
        return f'{self.etag[:-1]}{SHOWN}{shown}"'

    def _digest_without(self, left_out: set[str]) -> str:
        state = self.model_dump(mode="json", exclude=left_out)
        text = json.dumps(state, sort_keys=True)
        return encode(hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES])
