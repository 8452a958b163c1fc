"""Which answer and which second step belong to a sign-in with an issuer, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.domain.id_tokens import IssuedIdentity, IssuerAnswerInvalid
from services.identity.domain.sso_continuation import (
    CONTINUATION_LIFETIME,
    check_continuation,
    continuation_of,
    issued_identity,
)
from services.identity.domain.sso_sign_in import (
    SIGN_IN_LIFETIME,
    SsoAnswer,
    SsoSignInOver,
    check_answer,
)
from tests.services.identity.domain.rows import NOON, SSO_SIGN_IN, USER

if TYPE_CHECKING:
    from services.identity.domain.sso_continuation import SsoContinuation

MOMENT = timedelta(microseconds=1)
END = NOON + SIGN_IN_LIFETIME
LINKS = replace(SSO_SIGN_IN, user_id=USER.id)
ANSWER = SsoAnswer(
    state=SSO_SIGN_IN.state, code="c", redirect_uri=SSO_SIGN_IN.redirect_uri, issuer=None
)
NAMED = replace(ANSWER, issuer=SSO_SIGN_IN.issuer)
ISSUED = IssuedIdentity(
    issuer=SSO_SIGN_IN.issuer,
    subject="1",
    email="ana@example.com",
    email_verified=True,
    name="Ana",
    claims={},
)
BEGUN = continuation_of(ISSUED, connection_id="corp", now=NOON)


@pytest.mark.rule("B16")
@pytest.mark.parametrize(
    ("sign_in", "answer", "fields"),
    [
        (SSO_SIGN_IN, ANSWER, {}),
        (SSO_SIGN_IN, NAMED, {}),
        (SSO_SIGN_IN, ANSWER, {"now": END - MOMENT}),
        (LINKS, ANSWER, {"user_id": USER.id}),
    ],
)
def test_an_answer_of_the_sign_in_counts(
    sign_in: Any, answer: SsoAnswer, fields: dict[str, Any]
) -> None:
    assert check_answer(sign_in, answer, **({"user_id": None, "now": NOON} | fields)) is sign_in


@pytest.mark.rule("B16")
@pytest.mark.parametrize(
    ("sign_in", "answer", "fields", "refusal"),
    [
        (None, ANSWER, {}, SsoSignInOver),
        (SSO_SIGN_IN, replace(ANSWER, state="t" * 43), {}, SsoSignInOver),
        (SSO_SIGN_IN, replace(ANSWER, state=""), {}, SsoSignInOver),
        (SSO_SIGN_IN, ANSWER, {"user_id": USER.id}, SsoSignInOver),
        (LINKS, ANSWER, {}, SsoSignInOver),
        (LINKS, ANSWER, {"user_id": "usr_2"}, SsoSignInOver),
        (SSO_SIGN_IN, ANSWER, {"now": END}, SsoSignInOver),
        (SSO_SIGN_IN, ANSWER, {"now": NOON - MOMENT}, SsoSignInOver),
        (SSO_SIGN_IN, replace(ANSWER, redirect_uri="https://x"), {}, IssuerAnswerInvalid),
        (SSO_SIGN_IN, replace(ANSWER, issuer="https://x"), {}, IssuerAnswerInvalid),
    ],
)
def test_no_other_answer_counts(
    sign_in: Any, answer: SsoAnswer, fields: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        check_answer(sign_in, answer, **({"user_id": None, "now": NOON} | fields))


def test_a_second_step_goes_on_with_what_the_issuer_has_proved() -> None:
    last = NOON + CONTINUATION_LIFETIME - MOMENT
    assert issued_identity(check_continuation(BEGUN, now=last)) == ISSUED


@pytest.mark.parametrize(
    ("opened", "now"),
    [(None, NOON), (BEGUN, NOON + CONTINUATION_LIFETIME), (BEGUN, NOON - MOMENT)],
)
def test_a_second_step_that_is_over_does_not_go_on(
    opened: SsoContinuation | None, now: datetime
) -> None:
    with pytest.raises(SsoSignInOver):
        check_continuation(opened, now=now)
