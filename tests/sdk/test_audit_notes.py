"""Signed notes and checkpoints, against the published example of Go's sumdb/note."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rolecall.audit.notes import (
    Checkpoint,
    NoteError,
    VerifierKey,
    opened,
    opened_checkpoint,
    read_checkpoint,
    signed,
)
from tests.sdk.sealed_logs import ORIGIN

GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_NOTE = (
    f"{GO_TEXT}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
CHECKPOINT = Checkpoint(ORIGIN, 3, bytes(range(32)))


def verifier(key=KEY, name=ORIGIN):
    return VerifierKey(name, key.public_key().public_bytes_raw())


def test_the_published_note_is_made_and_opened():
    key = Ed25519PrivateKey.from_private_bytes(GO_SEED)
    assert signed(GO_TEXT, "PeterNeumann", [key]) == GO_NOTE
    assert opened(GO_NOTE, VerifierKey.parse(GO_KEY)) == GO_TEXT
    assert str(VerifierKey.parse(GO_KEY)) == GO_KEY


def test_a_checkpoint_is_read_as_it_was_signed():
    note = signed(CHECKPOINT.text(), ORIGIN, [KEY])
    assert opened_checkpoint(note, VerifierKey.parse(str(verifier()))) == CHECKPOINT


def test_a_note_of_two_keys_opens_with_each_of_them():
    note = signed(CHECKPOINT.text(), ORIGIN, [OTHER, KEY])
    assert opened_checkpoint(note, verifier(KEY)) == CHECKPOINT
    assert opened_checkpoint(note, verifier(OTHER)) == CHECKPOINT


NOTE = signed(CHECKPOINT.text(), ORIGIN, [KEY])
BAD_NOTES = {
    "another size": NOTE.replace("\n3\n", "\n4\n"),
    "another root": NOTE.replace("AAECAw", "AAECBw"),
    "another key": signed(CHECKPOINT.text(), ORIGIN, [OTHER]),
    "the key under another name": signed(CHECKPOINT.text(), "elsewhere", [KEY]),
    "no signature": f"{CHECKPOINT.text()}\n",
    "no end of the line": NOTE[:-1],
    "a hyphen in place of the dash": NOTE.replace("\u2014", "-"),
    "a signature that is cut": NOTE.replace("=\n", "\n"),
    "the text alone": CHECKPOINT.text(),
    "nothing": "",
    "a control character": signed(CHECKPOINT.text() + "\t\n", ORIGIN, [KEY]),
    "too many signatures": signed(CHECKPOINT.text(), ORIGIN, [OTHER] * 100 + [KEY]),
    "too long": signed(CHECKPOINT.text() + "x" * 70_000 + "\n", ORIGIN, [KEY]),
}


@pytest.mark.parametrize("note", BAD_NOTES.values(), ids=BAD_NOTES)
def test_a_note_that_the_key_did_not_sign_is_refused(note):
    with pytest.raises(NoteError):
        opened_checkpoint(note, verifier())


def test_a_checkpoint_of_another_log_is_refused():
    other = Checkpoint("iam.example.com/audit/acc_2", 3, bytes(32))
    with pytest.raises(NoteError, match="is of iam"):
        opened_checkpoint(signed(other.text(), ORIGIN, [KEY]), verifier())


@pytest.mark.parametrize(
    "text",
    [
        "origin\n03\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "origin\n-1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "origin\n3\n" + base64.b64encode(bytes(31)).decode() + "\n",
        "origin\n3\n",
        "\n3\n" + base64.b64encode(bytes(32)).decode() + "\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        read_checkpoint(text)


def test_mangled_verifier_keys_are_refused():
    for start in range(len(GO_KEY)):
        for end in range(start, len(GO_KEY) + 1):
            if (start, end) != (0, len(GO_KEY)):
                with pytest.raises(NoteError):
                    VerifierKey.parse(GO_KEY[start:end])
