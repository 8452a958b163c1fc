"""Checkpoints of a log as signed notes (C2SP signed-note and tlog-checkpoint), by Ed25519."""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rolecall.audit.trees import HASH_BYTES

ED25519 = b"\x01"
"""The type of the signatures, as C2SP numbers them."""
KEY_ID_BYTES = 4
MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 100
_NAME = re.compile(r"[^\s+]+")
_RESTORED = re.compile(r"restored (0|[1-9][0-9]{0,18}) ([A-Za-z0-9+/]{43}=)", re.ASCII)
_SIGNATURE = re.compile("\u2014 ([^\\s+]+) ([A-Za-z0-9+/]+=*)")


class NoteError(ValueError):
    """A key, a note or a checkpoint is malformed, or is not signed by the key."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: its origin, the number of its leaves, and the root of its tree."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Further lines of the note."""

    def text(self) -> str:
        """The text of the note that is signed."""
        root = base64.b64encode(self.root).decode()
        return "".join(
            f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions)
        )

    def restored(self) -> "list[tuple[int, bytes]]":
        """The sizes and roots of earlier checkpoints that a restore of the database has ended."""
        return [
            (int(match[1]), _decoded(match[2]))
            for line in self.extensions
            if (match := _RESTORED.fullmatch(line))
        ]

    def after_restore(self) -> str:
        """The extension that names this checkpoint in those after a restore."""
        return f"restored {self.size} {base64.b64encode(self.root).decode()}"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name of its log, as C2SP writes it: `name+id+key`."""

    name: str
    key: bytes
    """The 32 bytes of the public key."""

    @property
    def id(self) -> bytes:
        """The first bytes of the hash of name and key, which stand before each signature."""
        return key_id(self.name, self.key)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.key).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read what `str` of a key gives.

        Raises:
            NoteError: the text is not the key of an Ed25519 verifier.
        """
        name, _, rest = text.partition("+")
        given_id, _, encoded = rest.partition("+")
        data = _decoded(encoded)
        key = cls(name, data[1:])
        if data[:1] != ED25519 or len(key.key) != 32 or not _NAME.fullmatch(name):
            raise NoteError("The key is not a verifier key of Ed25519 (`name+id+key`).")
        if given_id != key.id.hex():
            raise NoteError("The id in the verifier key is not that of its name and key.")
        return key


def key_id(name: str, key: bytes) -> bytes:
    """The id of a public key under a name."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + key).digest()[:KEY_ID_BYTES]


def signed(text: str, name: str, keys: Sequence[Ed25519PrivateKey]) -> str:
    """The note with this text, signed under `name` by each of the keys."""
    lines = [
        f"\u2014 {name} {base64.b64encode(_signature(text, name, key)).decode()}\n" for key in keys
    ]
    return f"{text}\n{''.join(lines)}"


def _signature(text: str, name: str, key: Ed25519PrivateKey) -> bytes:
    return key_id(name, key.public_key().public_bytes_raw()) + key.sign(text.encode())


def opened(note: str, key: VerifierKey) -> str:
    """The text of a note that the key has signed; signatures of other keys are passed over.

    Raises:
        NoteError: the note is malformed, or the key has not signed it.
    """
    text, gap, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    if len(note) > MAX_NOTE_BYTES or not gap or lines.pop() or not lines:
        raise NoteError("This is not a signed note.")
    if len(lines) > MAX_SIGNATURES or any(ord(each) < 32 and each != "\n" for each in text):
        raise NoteError("This is not a signed note.")
    text += "\n"
    found = False
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            raise NoteError("A line of the note's signatures is malformed.")
        data = _decoded(match[2])
        if match[1] != key.name or data[:KEY_ID_BYTES] != key.id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.key).verify(data[KEY_ID_BYTES:], text.encode())
        except InvalidSignature:
            raise NoteError(f"The signature of {key.name} does not fit the note.") from None
        found = True
    if not found:
        raise NoteError(f"The note is not signed by the key of {key.name}.")
    return text


def opened_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """The checkpoint in a note that the key of its origin has signed.

    Raises:
        NoteError: the note is not such a checkpoint.
    """
    checkpoint = read_checkpoint(opened(note, key))
    if checkpoint.origin != key.name:
        raise NoteError(f"The checkpoint is of {checkpoint.origin}, not of {key.name}.")
    return checkpoint


def read_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint; lines after the third are extensions.

    Raises:
        NoteError: the text is not that of a checkpoint.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise NoteError("The note is not a checkpoint.")
    origin, size, root = lines[:3]
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", size):
        raise NoteError("The size in the checkpoint is not a number of leaves.")
    digest = _decoded(root)
    if len(digest) != HASH_BYTES:
        raise NoteError("The root in the checkpoint is not a hash.")
    return Checkpoint(origin, int(size), digest, tuple(lines[3:-1]))


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != text:
        raise NoteError(f"`{text[:80]}` is not base64.")
    return data
