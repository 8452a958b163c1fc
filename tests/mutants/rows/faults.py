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
    Mutant(
        id="a-loop-without-a-free-file-is-given-up",
        kind=Kind.AVAILABILITY,
        file="shared/runtime/supervisor.py",
        old="            except Exception:  # noqa: BLE001 - the loop must go on after each"
        " failure\n",
        new="            except RuntimeError:\n",
        tests=("tests/shared/runtime/test_service.py", "-k", "finds_no_free_file"),
    ),
    Mutant(
        id="a-slow-broker-counts-as-away",
        kind=Kind.AVAILABILITY,
        file="shared/bus/rabbitmq_publisher.py",
        old="            async with asyncio.timeout(self._seconds):\n",
        new="            async with asyncio.timeout(0.5):\n",
        tests=(BUS, "-k", "slow_link_only_takes_longer"),
    ),
    Mutant(
        id="a-publish-over-a-torn-link-counts-as-confirmed",
        kind=Kind.DATA,
        file="shared/bus/rabbitmq_publisher.py",
        old='            raise BusUnavailable(f"{len(failures)} not confirmed") from failures[0]\n',
        new="            return\n",
        tests=(BUS, "-k", "torn_in_two"),
    ),
    Mutant(
        id="a-poison-message-is-acknowledged",
        kind=Kind.DATA,
        file="shared/bus/rabbitmq_subscription.py",
        old="                verdict = Verdict.DEAD\n",
        new="                verdict = Verdict.ACK\n",
        tests=("tests/shared/bus/test_contract.py", "-k", "poison_message_ends and rabbitmq"),
    ),
    Mutant(
        id="a-conflict-of-two-writers-is-not-tried-again",
        kind=Kind.AVAILABILITY,
        file="shared/mongo/transactions.py",
        old="if time.monotonic() >= deadline or session.delegate.in_transaction:",
        new="if True or session.delegate.in_transaction:",
        tests=("tests/shared/journal/test_journal.py", "-k", "two_processes_with_eight"),
    ),
    Mutant(
        id="a-reload-of-the-gateway-cuts-requests-off",
        kind=Kind.AVAILABILITY,
        file="deploy/gateway/nginx.py",
        old="worker_processes auto;\n",
        new="worker_processes auto;\nworker_shutdown_timeout 1ms;\n",
        tests=("tests/deploy/gateway/test_nginx.py", "-k", "reload"),
    ),
)
