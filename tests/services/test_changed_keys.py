"""Keys are changed without a moment at which a replica refuses what another one made.

A change has four stages, and replicas of two stages that follow each other run at the same time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest
import standardwebhooks
from cryptography.exceptions import InvalidTag
from pydantic import SecretStr

from rolecall.client.jwk import encode
from rolecall.client.jwt import BadToken
from services.authz.adapters.sealed_places import SealedPlaces
from services.identity.adapters.keyring import UnsealError, seal, unseal
from services.identity.adapters.sealed_texts import SealedTexts
from services.identity.adapters.sealing import FactorSealer, SealBroken
from services.identity.domain.mfa import TotpProof
from services.identity.domain.passkeys import PasskeyChallenge
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.second_factors import by_present_seal
from services.notification.domain.messages import MessageKind
from services.notification.domain.preferences import (
    UnsubscribeLinkInvalid,
    UnsubscribeLinks,
    UnsubscribeTarget,
)
from services.notification.domain.webhook_secrets import (
    key_id,
    may_be_former,
    secret_of,
    signed_headers,
)
from shared import context
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalSigner, InternalVerifier
from shared.auth.keys import generate_key, public_text, read_private
from shared.ids import KeyId, UserId
from shared.links import Link, Links
from shared.metrics import REGISTRY
from shared.problems import AdminKeyWrong
from shared.sealed_secrets import SealedSecrets
from shared.secret_keys import secret_keys
from tests.clocks import SetClock

OLD, NEW = (encode(bytes(range(start, start + 32))) for start in (0, 100))
STAGES = (OLD, f"{OLD},{NEW}", f"{NEW},{OLD}", NEW)
"""A setting at the four stages: the new key is accepted, then it makes, then the old one goes."""
CLOCK = SetClock()
LINK = Link(id="inv_" + "0" * 31 + "1", generation=1)
TARGET = UnsubscribeTarget(UserId("usr_" + "1" * 32), "acc_" + "2" * 32, MessageKind.ROLE_CHANGED)
REFUSED = (
    *(InvalidTag, SealBroken, UnsealError, UnsubscribeLinkInvalid, AdminKeyWrong, BadToken),
    standardwebhooks.WebhookVerificationError,
)


@dataclass(frozen=True)
class Use:
    """What is made with a setting, and whether a replica with another value of it accepts it."""

    make: Callable[[str], Any]
    read: Callable[[str, Any], object]
    counted: str | None = None
    """The use by which the metric of former keys counts it."""


def keys(text):
    first, *former = secret_keys(SecretStr(text))
    return first, former


def links(text):
    first, former = keys(text)
    return Links(first, "invitation", former=former)


def secrets(text):
    first, former = keys(text)
    return SealedSecrets(first, form=b"form", former=former)


def factors(text):
    first, former = keys(text)
    return FactorSealer(first, former=former)


def texts(text):
    sealing_keys = secret_keys(SecretStr(text))
    return SealedTexts(PasskeyChallenge, form="form", sealing_keys=sealing_keys)


def unsubscribe(text):
    first, former = keys(text)
    return UnsubscribeLinks(first, "https://cloud.example", former=former)


def signing_key(text):
    kid = KeyId("key_a")
    return seal(generate_key(), kid=kid, number=1, sealing_key=keys(text)[0], now=CLOCK.now())


def internal_call(text):
    signer = InternalSigner(service="team", key=SecretStr(text), clock=CLOCK)
    return signer.token("audit")


def verified_call(text, token):
    public = [public_text(read_private(each).public_key()) for each in text.split(",")]
    verifier = InternalVerifier(service="audit", keys={"team": public}, clock=CLOCK)
    return verifier.verify(token)


def verified_webhook(text, secret):
    """Deliver as a service does, to a receiver that has this secret."""
    first, former = keys(text)
    now = int(datetime.now(tz=UTC).timestamp())
    sent = {"event_id": "evt_1", "timestamp": now, "body": b"{}", "former_keys": former}
    headers = signed_headers(first, "whk_1", ["salt"], **sent)
    return standardwebhooks.Webhook(secret).verify("{}", headers) == {}


def place(text):
    return SealedPlaces(SecretStr(text)).seal("usr_1", of="list")


USES = {
    "the token of a link": Use(
        lambda text: links(text).token(LINK),
        lambda text, made: links(text).read(made),
        "invitation",
    ),
    "the code of a link": Use(
        lambda text: links(text).code(LINK),
        lambda text, made: links(text).fits(LINK, made),
        "invitation",
    ),
    "a sealed secret": Use(
        lambda text: secrets(text).seal("word", about="str_1"),
        lambda text, made: secrets(text).open(made, about="str_1") == "word",
    ),
    "a second factor": Use(
        lambda text: factors(text).seal(b"word", bound_to="usr_1"),
        lambda text, made: factors(text).open(made, bound_to="usr_1") == b"word",
    ),
    "a sealed text": Use(
        lambda text: texts(text).seal(PasskeyChallenge(challenge="word", begun_at=CLOCK.now())),
        lambda text, made: texts(text).open(made),
    ),
    "a signing key": Use(
        signing_key, lambda text, made: unseal(made, *secret_keys(SecretStr(text)))
    ),
    "an unsubscribe link": Use(
        lambda text: unsubscribe(text).token(TARGET),
        lambda text, made: unsubscribe(text).read(made) == TARGET,
        "unsubscribe",
    ),
    "the secret of a webhook": Use(
        lambda text: secret_of(keys(text)[0], "whk_1", "salt"), verified_webhook
    ),
    "the place of a page": Use(
        place, lambda text, made: SealedPlaces(SecretStr(text)).read(made, of="list") == "usr_1"
    ),
    "an internal call": Use(internal_call, verified_call, "internal call of team"),
    "an operator's request": Use(
        lambda text: f"Bearer {text.split(',')[0]}",
        lambda text, made: Authenticator(admin_key=SecretStr(text)).admin(made),
        "admin key",
    ),
}


def accepted(use, text, made):
    try:
        return bool(use.read(text, made))
    except REFUSED:
        return False


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_replicas_of_two_stages_that_follow_each_other_accept_each_other(use):
    for earlier, later in pairwise(STAGES):
        for made_by, read_by in ((earlier, later), (later, earlier), (later, later)):
            assert accepted(use, read_by, use.make(made_by)), (made_by, read_by)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_key_that_was_removed_is_no_longer_accepted(use):
    assert not accepted(use, NEW, use.make(OLD))
    assert not accepted(use, OLD, use.make(NEW))


@pytest.fixture
def in_audit():
    before = context.service.set("audit")
    yield
    context.service.reset(before)


def counted(use):
    labels = {"service": "audit", "use": use.counted}
    return REGISTRY.get_sample_value("rolecall_former_key_uses_total", labels) or 0


@pytest.mark.parametrize("use", [use for use in USES.values() if use.counted])
def test_uses_of_a_former_key_are_counted_and_no_others(use, in_audit):
    before = counted(use)
    for made_by in (NEW, STAGES[2]):
        assert accepted(use, STAGES[2], use.make(made_by))
    assert counted(use) == before
    assert accepted(use, STAGES[2], use.make(OLD))
    assert counted(use) == before + 1


def test_a_delivery_uses_a_former_key_until_the_secret_is_made_anew():
    first, former = keys(STAGES[2])
    assert may_be_former(first, former, key_id(*former))
    assert may_be_former(first, former, None)
    assert not may_be_former(first, former, key_id(first))
    assert not may_be_former(first, (), None)


def test_a_code_proves_its_app_also_if_that_is_sealed_anew_meanwhile():
    ctx = cast("Ctx", SimpleNamespace(sealer=factors(STAGES[2])))
    user_id, seal = UserId("usr_1"), {"bound_to": "totp/usr_1"}
    before = factors(OLD).seal(b"secret", **seal)
    after = factors(STAGES[2]).reseal(before, **seal)
    proof = TotpProof(before, step=1)
    assert by_present_seal(ctx, user_id, proof, after) == TotpProof(after, step=1)
    other = factors(NEW).seal(b"of another app", **seal)
    assert by_present_seal(ctx, user_id, proof, other) == proof


@pytest.mark.parametrize(("make", "about"), [(secrets, "about"), (factors, "bound_to")])
def test_what_a_former_key_sealed_is_sealed_anew_once(make, about):
    word = "word" if make is secrets else b"word"
    old = make(OLD).seal(word, **{about: "id"})
    anew = make(STAGES[2]).reseal(old, **{about: "id"})
    assert make(NEW).open(anew, **{about: "id"}) == word
    assert make(STAGES[2]).reseal(anew, **{about: "id"}) is None
    with pytest.raises((InvalidTag, SealBroken)):
        make(STAGES[2]).reseal(old, **{about: "another id"})
