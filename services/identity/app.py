"""The wiring of identity."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.adapters.dns_texts import DnsTexts, Texts
from services.identity.adapters.issuers import Issuers
from services.identity.adapters.keyring import Keyring, UnsealError
from services.identity.adapters.network_places import PlacesUnreadable, read_places
from services.identity.adapters.relying_party import RelyingParty
from services.identity.adapters.sealed_fields import sealed_fields
from services.identity.adapters.sealed_texts import SealedTexts
from services.identity.adapters.sealing import FactorSealer
from services.identity.adapters.turns import Turns
from services.identity.domain.mail_budgets import MailKind
from services.identity.domain.passkeys import PasskeyChallenge
from services.identity.domain.rate_limits import RefusedSenders
from services.identity.domain.sso_continuation import SsoContinuation
from services.identity.domain.sso_sign_in import SsoSignIn
from services.identity.migrations import migrations
from services.identity.routes import INTERNAL_ROUTES, ROUTES
from services.identity.settings import Settings
from services.identity.store import SignInSnapshot, Store
from services.identity.store.adoption import adopts
from services.identity.subscriptions import SUBSCRIPTIONS
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.live_callers import check_live
from services.identity.use_cases.mail_budgets import MAILBOX, SENDER_SHARE
from services.identity.use_cases.signing_keys import keep_keys, open_keyring
from services.identity.use_cases.token_expiry import ending_tokens
from shared.auth.access_tokens import TokenVerifier
from shared.auth.principals import Bearer
from shared.bus import Bus
from shared.clock import Clock
from shared.contracts.topology import Service
from shared.due_work import run_due_work
from shared.http.api import Api
from shared.http.checker import AuthzChecker
from shared.http.idempotency import Idempotency
from shared.http.outbound import Outbound
from shared.journal import Journal
from shared.leases import Leases
from shared.links import Links
from shared.metrics import FORMER_KEY_USES, MAILS_WITHHELD, start_at_zero
from shared.mongo import DbClient
from shared.problems import StartRefused
from shared.resealing import keep_resealing
from shared.runtime.environment import variable
from shared.runtime.service import ServiceApp
from shared.runtime.supervisor import Loop
from shared.sealed_secrets import SealedSecrets
from shared.secret_keys import secret_keys
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from shared.wiring import JournalParts

FORMER_LINKS = (
    *("sign-up", "password-reset", "address-change", "address-undo", "factor-take-back"),
    "refresh",
)
"""What is derived from keys that may have been changed."""
MAX_MAILS_WAITING = 32
"""Requests for a mail that wait for their turn, eight seconds at most with the default step."""


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    leases: type[Leases] = Leases,
    journal: type[Journal] = Journal,
    store: type[Store] = Store,
    hasher: Argon2Hasher | None = None,
    texts: Texts | None = None,
    snapshot_rows: Callable[..., SignInSnapshot] = SignInSnapshot,
    wrap: Callable[[DbClient], DbClient] | None = None,
) -> ServiceApp:
    """Wire the service; nothing runs yet. `wrap` gives clients of the database another form."""
    parts = JournalParts(
        Service.IDENTITY,
        settings,
        bus=bus,
        clock=clock,
        timeouts=timeouts,
        migrations=migrations,
        journal=journal,
        leases=leases,
        lease_seconds=settings.lease_seconds,
        adopts=adopts,
        wrap=wrap,
    )
    start_at_zero(MAILS_WITHHELD, [Service.IDENTITY], MailKind, [MAILBOX, SENDER_SHARE])
    try:
        places = read_places(settings.network_places)
    except PlacesUnreadable as fault:
        raise StartRefused(f"{variable(Settings, 'network_places')}: {fault}") from fault
    sealing_keys = secret_keys(settings.sealing_key)
    sealing_key, *former = sealing_keys
    sealer = FactorSealer(sealing_key, former=former)
    sealed_secrets = SealedSecrets(sealing_key, form=b"sso client secret 1", former=former)
    link_key, *former_link_keys = secret_keys(settings.link_key)
    refresh_key, *former_refresh_keys = secret_keys(settings.refresh_key)
    links = partial(Links, link_key, former=former_link_keys)
    start_at_zero(FORMER_KEY_USES, [Service.IDENTITY], FORMER_LINKS)
    hasher, keyring = hasher or Argon2Hasher(), Keyring(sealing_key, former=former)
    rows, reserved = store(parts.database), store(parts.reserved_database)
    snapshot = snapshot_rows(
        clients=reserved,
        revoked=reserved,
        keys=reserved,
        sessions=reserved,
        users=reserved,
        factors=reserved,
        tokens=reserved,
        clock=parts.clock,
    )
    checker = AuthzChecker(parts.internal, timeouts=timeouts)
    idempotency = Idempotency(parts.database, clock=parts.clock)
    networks = settings.sso_networks
    outbound = Outbound(networks=networks, seconds=timeouts.issuer)
    ctx = Ctx(
        settings=settings,
        clock=parts.clock,
        pause=pause,
        store=rows,
        snapshot=parts.snapshot(snapshot.read),
        journal=parts.journal,
        refused_senders=RefusedSenders(),
        mail_turns=Turns(max_waiting=MAX_MAILS_WAITING),
        hasher=hasher,
        keyring=keyring,
        issuers=Issuers(outbound, clock=parts.clock, networks=networks),
        sealed_sign_ins=SealedTexts(SsoSignIn, form="sso sign-in 1", sealing_keys=sealing_keys),
        sealed_continuations=SealedTexts(
            SsoContinuation, form="sso continuation 1", sealing_keys=sealing_keys
        ),
        access_tokens=TokenVerifier(
            issuer=settings.public_url, keys=keyring.public, clock=parts.clock
        ),
        relying_party=RelyingParty(public_url=settings.public_url, product=settings.product_name),
        sealed_challenges=SealedTexts(
            PasskeyChallenge, form="passkey challenge 1", sealing_keys=sealing_keys
        ),
        sealer=sealer,
        sealed_secrets=sealed_secrets,
        texts=DnsTexts() if texts is None else texts,
        sign_up_links=links("sign-up"),
        reset_links=links("password-reset"),
        refresh_tokens=Links(refresh_key, "refresh", former=former_refresh_keys),
        address_links=links("address-change"),
        undo_links=links("address-undo"),
        take_back_links=links("factor-take-back"),
        places=places,
        internal=parts.internal,
        checker=checker,
        timeouts=timeouts,
    )

    async def live(principal: Bearer) -> None:
        await check_live(ctx, principal)

    authenticator = parts.authenticator(
        keys=keyring.public, live=live, api_tokens=checker.find_api_token
    )

    async def open_keys() -> None:
        try:
            await open_keyring(ctx)
        except UnsealError as fault:
            raise StartRefused(
                f"{variable(Settings, 'sealing_key')} does not open the signing key {fault} of the "
                "database. Set the value that the key was stored with."
            ) from fault

    resealing: dict[str, Loop] = {}
    if former:
        fields = sealed_fields(sealer, sealed_secrets)
        resealing["resealing"] = partial(
            keep_resealing,
            parts.database,
            fields,
            service=Service.IDENTITY,
            pause=timeouts.reseal_poll,
        )

    async def close_hasher() -> None:
        hasher.close()

    return parts.app(
        public=Api(
            Service.IDENTITY,
            ROUTES,
            ctx,
            authenticator=authenticator,
            lane_limits=parts.lane_limits,
            checker=checker,
            idempotency=idempotency,
        ),
        ctx=ctx,
        inbox=parts.inbox(SUBSCRIPTIONS, ctx),
        internal_routes=INTERNAL_ROUTES,
        authenticator=authenticator,
        idempotency=Idempotency(parts.database, clock=parts.clock),
        opens=(open_keys,),
        tasks={
            "signing-keys": lambda: keep_keys(ctx),
            **resealing,
            "token-expiry": partial(run_due_work, ending_tokens(ctx), pause=timeouts.token_poll),
        },
        closes=(close_hasher, ctx.issuers.close),
    )
