"""How many requests one sender may send to the gateway, by the kind of route."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from deploy.gateway.paths import PARAMETER
from deploy.gateway.problems import LIMIT, PACE, POLICY, RETRY_AFTER
from services.identity.domain.sessions import WrongCredentials
from shared.http.access import Client, PermissionOrClient, Public, PublicCallers, SessionOrClient
from shared.http.routes import Route
from shared.http.streams import EVENT_STREAM
from shared.quotas import policy

# A map of bytes: nginx prints an IPv6 address in several forms. All keys of a zone are of one class
# of nginx's slabs, so a full zone forgets its oldest key and has a place for the new one.
SENDER = """\
  # One sender is an IPv4 address, or the IPv6 /64 that one customer has.
  map $binary_remote_addr $rolecall_sender {
    default $binary_remote_addr;
    "~(?s)^\\x00{10}\\xff\\xff(?<sender_ipv4>.{4})\\z" $sender_ipv4;
    "~(?s)^(?<sender_network>.{8}).{8}\\z" $sender_network;
  }
"""


def _subjects_of(prefix: str) -> tuple[str, ...]:
    """What the claims of a token contain if its subject begins so: base64 has three forms of it."""
    text = f'"sub":"{prefix}'.encode()
    forms = []
    for before in range(3):
        encoded = urlsafe_b64encode(bytes(before) + text)
        whole = (before + len(text)) * 8 // 6  # the characters that the text alone decides
        forms.append(encoded[ceil(before * 8 / 6) : whole].decode())
    return tuple(forms)


@dataclass(frozen=True, kw_only=True)
class SenderLimit:
    """What one sender may send to one kind of route.

    `burst` requests may arrive at once. After the first `undelayed` of them each waits until the
    rate allows it. Requests beyond the burst are refused.
    """

    zone: str
    per_minute: int
    burst: int
    undelayed: int
    at_once: int
    key: str = "$rolecall_sender"
    """The variable that tells senders apart; a request for which it is empty is not counted."""

    def times(self, factor: int) -> "SenderLimit":
        """The same kind with a multiple of each number."""
        return replace(
            self,
            per_minute=self.per_minute * factor,
            burst=self.burst * factor,
            undelayed=self.undelayed * factor,
            at_once=self.at_once * factor,
        )

    @property
    def policy(self) -> str:
        """The limit as a `RateLimit-Policy` names it."""
        rate = policy(self.zone, self.per_minute, window_seconds=60)
        return f"{rate}, {policy(f'{self.zone}-at-once', self.at_once, window_seconds=None)}"

    @property
    def retry_after(self) -> int:
        """The seconds after which a refused request is let through, if no other comes before.

        nginx counts in thousandths of a request and rounds the rate down to a whole number of them
        in a second.
        """
        return ceil(1000 / (self.per_minute * 1000 // 60))

    @property
    def zones(self) -> str:
        """The directives that keep the counts of this kind."""
        return (
            f"  limit_req_zone {self.key} zone={self.zone}_rate:4m"
            f" rate={self.per_minute}r/m;\n"
            f"  limit_conn_zone {self.key} zone={self.zone}:4m;\n"
        )

    @property
    def directives(self) -> str:
        """The directives that apply the limit to a location."""
        return (
            f"limit_req zone={self.zone}_rate burst={self.burst} delay={self.undelayed};"
            f" limit_conn {self.zone} {self.at_once};"
        )


MAILS = SenderLimit(zone="mails", per_minute=20, burst=10, undelayed=5, at_once=20)
"""Sign-up, and other requests for a mail. One costs three services as much as many other requests,
so a crowd gets them one by one."""
SIGN_INS = SenderLimit(zone="sign_ins", per_minute=60, burst=20, undelayed=3, at_once=30)
"""Sign-in, whose cost is a password's hash."""
STRANGERS = SenderLimit(zone="strangers", per_minute=600, burst=40, undelayed=40, at_once=40)
"""Other routes without a credential: refresh, mailed links."""
USERS = SenderLimit(
    zone="users",
    per_minute=6000,
    burst=400,
    undelayed=400,
    at_once=200,
    key="$rolecall_user_sender",
)
# The end of the signature names a token in every spelling of its header. A header that no service
# accepts has no key and counts for its address only. The pattern does not backtrack.
USER_RATE_ZONE = """\
  map $rolecall_client_call$http_authorization $rolecall_token {{
    default "";
    "~*^bearer [a-z0-9_.-]++(?<=(?<token_end>[a-z0-9_-]{{32}}))[ \\t]*+$" $token_end;
  }}
  limit_req_zone $rolecall_token zone=tokens:{size} rate=30r/s;
"""
USER_ZONE_SIZE = "16m"
"""About 130,000 tokens."""
USER_RATE = "limit_req zone=tokens burst=100 nodelay;"
"""The rate of one user from all addresses together. A refusal costs least here."""
SLOW_BYTES_PER_SECOND = 256
"""The pace of a refusal for too many requests, so that it takes about two seconds.

nginx refuses before it counts the connection, so slow refusals use up no limit of connections.
"""
USER_SENDER = f"""\
  # On routes of service clients the limits of users are for the tokens of users alone.
  map "{LIMIT} $http_authorization" $rolecall_client_call {{
    default "";
    "~^clients (?![^.]*+\\.[^.]*?(?:{"|".join(_subjects_of("usr_"))}))" 1;
  }}
  map $rolecall_client_call $rolecall_user_sender {{ default $rolecall_sender; 1 ""; }}
  # A service client is answered at once: it waits for Retry-After, and its requests have deadlines.
  map $rolecall_client_call {PACE} {{ default {SLOW_BYTES_PER_SECOND}; 1 0; }}
"""
STREAMS = SenderLimit(zone="streams", per_minute=1200, burst=100, undelayed=100, at_once=150)
"""Answers to users that last as long as their connection. Open ones use no other limit up."""
CLIENTS = SenderLimit(zone="clients", per_minute=120_000, burst=1000, undelayed=1000, at_once=500)
"""Routes of service clients. All services of a platform may come from one address, and browsers
there do not use their limit up."""
SENDER_LIMITS = (MAILS, SIGN_INS, STRANGERS, STREAMS, USERS, CLIENTS)


def limit_maps(limits: Sequence[SenderLimit]) -> str:
    """Return the maps from the kind of a route to its policy and to the wait after a refusal."""
    policies = " ".join(f"{each.zone} '{each.policy}';" for each in limits)
    waits = " ".join(f"{each.zone} {each.retry_after};" for each in limits)
    return f"  map {LIMIT} {POLICY} {{ {policies} }}\n  map {LIMIT} {RETRY_AFTER} {{ {waits} }}\n"


def sender_limits(routes: Mapping[str, Sequence[Route]]) -> dict[str, SenderLimit]:
    """The limit of each path template; a path with several rows has the narrowest of theirs."""
    limits: dict[str, SenderLimit] = {}
    for rows in routes.values():
        for route in rows:
            shape = PARAMETER.sub("{}", route.path)
            known = limits.get(shape, CLIENTS)
            limits[shape] = min(known, _limit_of(route), key=SENDER_LIMITS.index)
    return limits


def _limit_of(route: Route) -> SenderLimit:
    match route.access:
        case Public() if WrongCredentials in route.refuses:
            return SIGN_INS
        case Public(PublicCallers.MAILED):
            return MAILS
        case Public(callers) if callers is not PublicCallers.CLIENTS and route.takes is not None:
            return STRANGERS
        case Public() | Client() | SessionOrClient() | PermissionOrClient():
            return CLIENTS
        case _:
            return STREAMS if EVENT_STREAM in route.streams else USERS
