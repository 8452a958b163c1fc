"""The wiring of audit."""

from functools import partial

from aiohttp.abc import AbstractResolver

from rolecall.client.jwk import key_bytes
from services.audit.adapters.checkpoint_files import CheckpointFiles
from services.audit.domain.checkpoints import CheckpointSigner
from services.audit.domain.erased_people import PersonMarks
from services.audit.domain.retention import Retention
from services.audit.migrations import migrations
from services.audit.routes import INTERNAL_ROUTES, ROUTES
from services.audit.settings import Settings
from services.audit.store import Store
from services.audit.subscriptions import SUBSCRIPTIONS
from services.audit.use_cases.checkpoint_delivery import run_checkpoint_delivery
from services.audit.use_cases.confirmed_rows import sealed_rows
from services.audit.use_cases.context import Ctx, StreamParts
from services.audit.use_cases.erasures import PersonEraser, run_person_eraser
from services.audit.use_cases.ingest import ROWS_IN_HAND, Ingest
from services.audit.use_cases.marks_key import open_marks_key
from services.audit.use_cases.own_words import OwnWords
from services.audit.use_cases.record_endings import RecordKeeper, run_record_keeper
from services.audit.use_cases.seal_watch import SealWatch, run_seal_watch
from services.audit.use_cases.sealing import RecordSealer, run_sealer
from services.audit.use_cases.stream_sender import run_stream_sender
from services.audit.use_cases.tails import run_tails
from services.audit.use_cases.usage_ledger import UsageLedger, run_usage_folder
from shared.auth.keys import read_private
from shared.bus import Bus
from shared.clock import Clock
from shared.contracts.topology import Service
from shared.elections import Election
from shared.http.api import Api
from shared.http.checker import AuthzChecker
from shared.http.idempotency import Idempotency
from shared.http.outbound import Outbound
from shared.ids import new_id
from shared.metrics import STREAM_ATTEMPTS, start_at_zero
from shared.receivers.attempts import RequestResult
from shared.receivers.posts import ReceiverPosts
from shared.resealing import SealedField, keep_resealing
from shared.runtime.service import ServiceApp
from shared.sealed_secrets import SealedSecrets
from shared.secret_keys import secret_keys
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from shared.wiring import JournalParts


def build(
    settings: Settings,
    *,
    bus: Bus,
    clock: Clock | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    names: AbstractResolver | None = None,
) -> ServiceApp:
    """Wire the service without starting anything; `names` looks up the hosts of streams."""
    parts = JournalParts(
        Service.AUDIT, settings, bus=bus, clock=clock, timeouts=timeouts, migrations=migrations
    )
    store = Store(parts.database)
    signer = CheckpointSigner(
        read_private(settings.checkpoint_key.get_secret_value()),
        public_url=settings.public_url,
        former_keys=tuple(map(key_bytes, settings.checkpoint_former_keys)),
    )
    process = new_id("prc")
    files = CheckpointFiles(settings.checkpoint_folder)
    words = OwnWords(store, parts.verifier)
    sealer = RecordSealer(parts.client, store, signer, files, parts.clock, words=words)
    office = Election(parts.database, "sealer", holder=process, clock=parts.clock)
    platform_retention = Retention(days=settings.retention_days)
    keeper = RecordKeeper(
        parts.client, store, parts.journal, parts.clock, platform=platform_retention
    )
    keeping = Election(parts.database, "record keeper", holder=process, clock=parts.clock)
    marks = PersonMarks(key_bytes(settings.journal_key.get_secret_value()))
    eraser = PersonEraser(parts.client, store, parts.journal, parts.clock, marks)
    erasing = Election(parts.database, "person eraser", holder=process, clock=parts.clock)
    ingest = Ingest(parts.client, store, parts.clock, marks=marks)
    usage = UsageLedger(parts.client, store)
    checker = AuthzChecker(parts.internal, timeouts=timeouts)
    posts = ReceiverPosts(
        Outbound(
            networks=settings.stream_networks,
            seconds=timeouts.stream,
            connections=settings.stream_connections,
            resolver=names,
        ),
        parts.clock,
        user_agent="Rolecall-Streams/1",
        content_type="application/x-ndjson",
    )
    stream_key, *former = secret_keys(settings.stream_key)
    stream_secrets = SealedSecrets(stream_key, form=b"stream secret 1", former=former)
    streams = SealedField(
        collection="streams",
        path="sealed_secret",
        reseal=lambda stream_id, value: stream_secrets.reseal(value, about=stream_id),
    )
    marks_key = SealedField(
        collection="erasure_state",
        path="sealed_key",
        reseal=lambda place, value: stream_secrets.reseal(value, about=place),
    )
    resealing = partial(
        keep_resealing,
        parts.database,
        [streams, marks_key],
        service=Service.AUDIT,
        pause=timeouts.reseal_poll,
    )
    start_at_zero(STREAM_ATTEMPTS, [Service.AUDIT], RequestResult)
    ctx = Ctx(
        checker=checker,
        store=store,
        signer=signer,
        files=files,
        ingest=ingest,
        usage=usage,
        journal=parts.journal,
        internal=parts.internal,
        clock=parts.clock,
        complete_until=lambda: inbox.complete_until,
        inbox=lambda: inbox,
        platform_retention=platform_retention,
        streams=StreamParts(
            posts=posts,
            secrets=stream_secrets,
            networks=settings.stream_networks,
        ),
        timeouts=timeouts,
    )
    inbox = parts.inbox(
        SUBSCRIPTIONS, ctx, prefetch=ROWS_IN_HAND, narrow=partial(sealed_rows, store)
    )
    authenticator = parts.authenticator(live=checker.check_live, api_tokens=checker.find_api_token)
    return parts.app(
        public=Api(
            Service.AUDIT,
            ROUTES,
            ctx,
            authenticator=authenticator,
            lane_limits=parts.lane_limits,
            checker=checker,
            idempotency=Idempotency(parts.database, clock=parts.clock),
        ),
        ctx=ctx,
        inbox=inbox,
        internal_routes=INTERNAL_ROUTES,
        opens=(partial(open_marks_key, store, stream_secrets, marks),),
        tasks={
            "seal": partial(run_sealer, sealer, office),
            "deliver_checkpoints": partial(
                run_checkpoint_delivery,
                ctx,
                Election(parts.database, "checkpoints", holder=new_id("prc"), clock=parts.clock),
            ),
            "watch_seals": partial(run_seal_watch, SealWatch(store, parts.clock)),
            "streams": partial(
                run_stream_sender,
                ctx,
                Election(parts.database, "streams", holder=process, clock=parts.clock),
                connections=settings.stream_connections,
            ),
            "tails": partial(run_tails, ctx),
            **({"resealing": resealing} if former else {}),
            "retention": partial(run_record_keeper, keeper, keeping),
            "fold_usage": partial(run_usage_folder, usage),
            "erasure": partial(run_person_eraser, eraser, erasing),
        },
        drains=(ctx.tails.drain,),
        closes=(ingest.close, posts.close),
        authenticator=authenticator,
    )
