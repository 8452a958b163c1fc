"""What the reply of a mail server says of a mail that could not be delivered."""

import pytest

from services.notification.domain.bounces import cause_of
from shared.contracts.notification import BounceCause

NONE, FULL = BounceCause.NO_SUCH_MAILBOX, BounceCause.MAILBOX_FULL
REFUSED, AWAY = BounceCause.REFUSED, BounceCause.NOT_REACHED


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("550 5.1.1 <bo@x.example>: user unknown", NONE),
        ("550-5.1.1 The account does not exist", NONE),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound", NONE),
        ("551 User not local", NONE),
        ("552 5.2.2 Over quota", FULL),
        ("552 Mailbox full", FULL),
        ("550 5.2.2 5.1.1 both", FULL),
        ("550 5.7.1 Blocked, 5.1.1 is not the reason", REFUSED),
        ("550 No", REFUSED),
        ("554 5.7.1 Spam", REFUSED),
        ("552 5.3.4 Message too big", REFUSED),
        ("451 4.7.1 Try later", AWAY),
        ("421 Too busy", AWAY),
        ("[Errno 111] Connection refused", AWAY),
        ("", AWAY),
    ],
)
def test_the_reply_of_a_mail_server_has_one_cause(reply, cause):
    assert cause_of(reply) is cause
