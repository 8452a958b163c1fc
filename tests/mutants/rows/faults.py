"""Defects that turn off the defence against a fault of a server, a link or a clock."""

from tests.mutants.mutant import Kind, Mutant

BUS = "tests/shared/bus/test_rabbitmq.py"

ROWS = (
    Mutant(
        id="bus-messages-are-not-persistent",
        kind=Kind.DATA,
        file="shared/bus/rabbitmq_publisher.py",
        old="delivery_mode=DeliveryMode.PERSISTENT,",
        new="delivery_mode=DeliveryMode.NOT_PERSISTENT,",
        tests=(BUS, "-k", "survive_the_broker or marked_as_persistent"),
    ),
    Mutant(
        id="a-failure-of-authz-is-an-answer",
        kind=Kind.SECURITY,
        file="shared/http/checker.py",
        old="        except Refusal as error:\n            raise Unavailable from error\n",
        new="        except Refusal:\n            raise\n",
        tests=("tests/shared/http/test_internal.py", "-k", "every_failure_of_authz"),
    ),
    Mutant(
        id="tokens-of-the-future-are-accepted",
        kind=Kind.SECURITY,
        file="sdk/rolecall/client/jwt.py",
        old='if max(claims["iat"], claims.get("nbf", 0)) > now + LEEWAY_SECONDS:',
        new='if claims.get("nbf", 0) > now + LEEWAY_SECONDS:',
        tests=("tests/shared/auth/test_access_tokens.py",),
    ),
    Mutant(
        id="lease-lasts-as-long-as-its-ttl",
        kind=Kind.CONSISTENCY,
        file="shared/following/journal_view.py",
        old="request.sent + grant.ttl * USABLE_FRACTION)",
        new="request.sent + grant.ttl)",
        tests=("tests/shared/following/test_journal_view.py",),
    ),
    Mutant(
        id="crashed-loop-is-not-started-again",
        kind=Kind.AVAILABILITY,
        file="shared/runtime/supervisor.py",
        old="                if cancelled_by_us():\n                    return\n",
        new="                return\n",
        tests=("tests/shared/runtime/test_service.py", "-k", "loop"),
    ),
)
