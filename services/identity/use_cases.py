"""How does a person become a user, and what may be asked of users, clients and keys?"""

import contextlib
from dataclasses import dataclass
from datetime import timedelta

from pydantic import ValidationError

from services.identity import domain
from services.identity.clients import ServiceClient, created, hash_secret, new_secret
from services.identity.context import Ctx
from services.identity.domain import (
    AccountExists,
    LinkInvalid,
    User,
    WrongCredentials,
    acting,
    refused,
)
from services.identity.limits import Bucket, counted, network_of
from services.identity.passwords import password_fault
from services.identity.sessions import UserSession, started
from services.identity.sign_ins import (
    SignedIn,
    live_session,
    login_buckets,
    new_session,
    start_session,
)
from services.identity.signing_keys import created as key_created
from services.identity.signing_keys import seal
from shared.addresses import Address, parse_address
from shared.auth.keys import generate_key
from shared.auth.principals import UserPrincipal
from shared.contracts.calls import INVITATION_LOOKUP, InvitationLookupRequest
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.ids import AccountId, ClientId, KeyId, UserId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.links import Link
from shared.mongo import AlreadyThere
from shared.names import parse_name
from shared.problems import Invalid, NotFound, Refusal, RefusalKind

MAIL_WINDOW = timedelta(hours=1)


class InvitationNotValid(Refusal):
    """Whatever is wrong with the invitation: alike."""

    kind = RefusalKind.GONE
    code = "invitation-not-valid"
    detail = "This invitation does not work, or no longer. Ask for another."


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """Who signs up, checked: what they typed fits."""

    address: Address
    name: str
    password: str


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """What team says of an invitation's token and code: whom it is for, and how it got there."""

    email: str
    mailed: bool


async def sign_up(ctx: Ctx, caller: Caller, *, email: str, name: str, password: str) -> None:
    """Add a user and have a link mailed; for an address with a user do as much and tell nothing.

    Raises:
        Invalid, TooManyRequests, Busy: the same for every address.
    """
    newcomer = _newcomer(email=email, name=name, password=password)
    began = ctx.clock.boottime()
    mails = _mail_buckets(ctx, caller, newcomer.address)
    async with counted(ctx.store, ctx.clock.now(), *mails):
        user = await _user_of(ctx, newcomer, verified=False)
        holder = await ctx.store.holder(newcomer.address.key)
        if holder is None:
            await _add(ctx, caller, user, session=None)
        else:
            # The owner of the address finds the attempt in the audit log; it costs as much.
            fact = refused(holder, AccountExists.code)
            await ctx.journal.refused(holder.id, fact, caller=caller)
    await ctx.leave_evenly(began)


async def sign_up_invited(
    ctx: Ctx, caller: Caller, *, token: str, code: str, name: str, password: str
) -> SignedIn | None:
    """Sign up by an invitation; the address comes from team, never from the body.

    An e-mailed invitation proves the address: the user is verified at once and signed in; repeated
    by who did it, it signs in again. One that was handed over proves nothing: `None`, and a link
    is mailed as for anybody.

    Raises:
        InvitationNotValid, Invalid, TooManyRequests, Busy.
        AccountExists: the address has a user with another password.
    """
    invitation = await _look_up(ctx, token=token, code=code)
    if not invitation.mailed:
        await sign_up(ctx, caller, email=invitation.email, name=name, password=password)
        return None
    newcomer = _newcomer(email=invitation.email, name=name, password=password)
    tries = login_buckets(ctx, caller, newcomer.address.key)
    async with counted(ctx.store, ctx.clock.now(), *tries, refusals=(AccountExists,)):
        if await ctx.store.holder(newcomer.address.key) is None:
            user = await _user_of(ctx, newcomer, verified=True)
            session = new_session(ctx, user)
            with contextlib.suppress(AlreadyThere):
                await _add(ctx, caller, user, session=session)
                return SignedIn(user=user, session=session)
        return await _sign_in_again(ctx, caller, newcomer)


async def verify(ctx: Ctx, caller: Caller, *, token: str, code: str | None) -> SignedIn:
    """Prove an address by its mailed link; who else signed up with it and did not, is dropped.

    Raises:
        LinkInvalid: not ours, used, superseded, too old.
    """
    link = ctx.verification_links.read(token)
    if link is None or (code is not None and not ctx.verification_links.fits(link, code)):
        raise LinkInvalid
    found = await ctx.store.user(UserId(link.id))
    if found is None:
        raise LinkInvalid
    session = new_session(ctx, found)

    async def work(tx: JournalWrite) -> User:
        user = await ctx.store.user(found.id, tx.session)
        if user is None:
            raise LinkInvalid
        holder = await ctx.store.holder(user.email_key, tx.session)
        proved, facts = domain.verify(user, generation=link.generation, holder=holder, now=tx.now)
        if proved is not user:
            await ctx.store.update_user(user, proved, tx.session)
            await ctx.store.delete_claimants(user.email_key, tx.session)
        await ctx.store.insert_session(session, tx.session)
        tx.record(*facts, started(session))
        return proved

    try:
        written = await ctx.journal.write(
            found.id, work, caller=acting(caller, found, session), effective_everywhere=False
        )
    except AlreadyThere as there:
        raise LinkInvalid from there
    return SignedIn(user=written.result, session=session)


async def resend(ctx: Ctx, caller: Caller, *, email: str) -> None:
    """Have another link mailed to who signed up last with this address, if anybody waits for one.

    Raises:
        Invalid, TooManyRequests: the same for every address.
    """
    address = _address(email)
    began = ctx.clock.boottime()
    async with counted(ctx.store, ctx.clock.now(), *_mail_buckets(ctx, caller, address)):
        holder = await ctx.store.holder(address.key)
        waiting = await ctx.store.claimant(address.key)
        if holder is None and waiting is not None and not waiting.lapsed(ctx.clock.now()):

            async def work(tx: JournalWrite) -> None:
                user = await ctx.store.user(waiting.id, tx.session)
                if user is not None and not user.verified:
                    again, fact = domain.resend(user)
                    await ctx.store.update_user(user, again, tx.session)
                    tx.record(fact)

            await ctx.journal.write(waiting.id, work, caller=caller, effective_everywhere=False)
    await ctx.leave_evenly(began)


async def rename(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, name: str
) -> WriteResult[SignedIn]:
    """Show the user under another name.

    Raises:
        Invalid, Unauthenticated.
    """
    try:
        shown = parse_name(name)
    except ValueError as fault:
        raise Invalid(errors=[("/name", str(fault))]) from fault
    current = await live_session(ctx, principal)

    async def work(tx: JournalWrite) -> SignedIn:
        user = await ctx.store.user(current.user.id, tx.session)
        renamed, facts = domain.rename(user or current.user, shown)
        if facts:
            await ctx.store.update_user(user or current.user, renamed, tx.session)
        tx.record(*facts)
        return SignedIn(user=renamed, session=current.session)

    who = acting(caller, current.user)
    return await ctx.journal.write(current.user.id, work, caller=who, effective_everywhere=False)


async def user_by_id(ctx: Ctx, user_id: UserId) -> User:
    """A user, for another service.

    Raises:
        NotFound: there is none, or they never verified and are past their time.
    """
    user = await ctx.store.user(user_id)
    if user is None or user.lapsed(ctx.clock.now()):
        raise NotFound
    return user


async def link_to_mail(ctx: Ctx, *, user_id: UserId, generation: int) -> Link:
    """The verification link that is about to be mailed, if it still may be used.

    Raises:
        LinkInvalid: used, superseded or too old: nothing is to be sent.
    """
    user = await ctx.store.user(user_id)
    now = ctx.clock.now()
    if user is None or user.verified or user.generation != generation or user.lapsed(now):
        raise LinkInvalid
    return Link(id=user.id, generation=generation)


async def create_client(
    ctx: Ctx,
    caller: Caller,
    *,
    name: str,
    scopes: tuple[str, ...],
    account_ids: tuple[str, ...] | None,
    resource_types: tuple[str, ...] | None,
) -> tuple[ServiceClient, str, WriteResult[None]]:
    """Add a service client; its secret is given once and only its hash is kept."""
    client_id, secret = ClientId(new_id("cli")), new_secret()
    made: list[ServiceClient] = []

    async def work(tx: JournalWrite) -> None:
        client = ServiceClient(
            id=client_id,
            name=name,
            secret_hash=hash_secret(secret),
            scopes=scopes,
            account_ids=account_ids,
            resource_types=resource_types,
            rev=tx.rev,
        )
        await ctx.store.insert_client(client, tx.session)
        tx.record(created(client))
        made[:] = [client]

    written = await ctx.journal.write(client_id, work, caller=caller, effective_everywhere=True)
    return made[0], secret, written


async def open_keyring(ctx: Ctx, sealing_key: bytes) -> None:
    """Fill the keyring; on the first start make the first key. Replicas may do so at once.

    Raises:
        CannotUnseal: the stored key was sealed with another sealing key.
    """
    if not await ctx.store.signing_keys():
        kid = KeyId(new_id("key"))
        key = seal(generate_key(), kid=kid, slot=1, sealing_key=sealing_key, now=ctx.clock.now())

        async def work(tx: JournalWrite) -> None:
            await ctx.store.insert_signing_key(key, tx.session)
            tx.record(key_created(key))

        with contextlib.suppress(AlreadyThere):
            await ctx.journal.write(kid, work, caller=_ourselves(), effective_everywhere=False)
    ctx.keyring.fill(await ctx.store.signing_keys(), sealing_key)


def _ourselves() -> Caller:
    return Caller(
        actor=Actor(type="service", id="identity"), request=RequestInfo(request_id=new_id("req"))
    )


async def _look_up(ctx: Ctx, *, token: str, code: str) -> Invitation:
    try:
        request = InvitationLookupRequest(token=token, code=code)
    except ValidationError:
        raise InvitationNotValid from None
    try:
        found = await ctx.internal.call(INVITATION_LOOKUP, "team", request)
    except Refusal as refusal:
        if refusal.kind in {RefusalKind.UNAVAILABLE, RefusalKind.UNEXPECTED}:
            raise
        raise InvitationNotValid from refusal
    return Invitation(email=found.email, mailed=found.delivery == "email")


async def _user_of(ctx: Ctx, newcomer: Newcomer, *, verified: bool) -> User:
    now = ctx.clock.now()
    return User(
        id=UserId(new_id("usr")),
        email=newcomer.address.typed,
        email_key=newcomer.address.key,
        name=newcomer.name,
        password_hash=await ctx.passwords.hash(newcomer.password),
        account_id=AccountId(new_id("acc")),
        created_at=now,
        verified_at=now if verified else None,
    )


async def _add(ctx: Ctx, caller: Caller, user: User, *, session: UserSession | None) -> None:
    async def work(tx: JournalWrite) -> None:
        if user.verified:
            await ctx.store.delete_claimants(user.email_key, tx.session)
        await ctx.store.insert_user(user, tx.session)
        tx.record(*domain.sign_up(user))
        if session is not None:
            await ctx.store.insert_session(session, tx.session)
            tx.record(started(session))

    who = acting(caller, user, session)
    await ctx.journal.write(user.id, work, caller=who, effective_everywhere=False)


async def _sign_in_again(ctx: Ctx, caller: Caller, newcomer: Newcomer) -> SignedIn:
    """The address has a user: it is the same person if the password is the same."""
    holder = await ctx.store.holder(newcomer.address.key)
    if holder is None:
        raise AccountExists
    if not await ctx.passwords.verify(holder.password_hash, newcomer.password):
        fact = refused(holder, WrongCredentials.code)
        await ctx.journal.refused(holder.id, fact, caller=caller)
        raise AccountExists
    return await start_session(ctx, caller, holder)


def _newcomer(*, email: str, name: str, password: str) -> Newcomer:
    faults = []
    address = None
    try:
        address = parse_address(email)
    except ValueError as problem:
        faults.append(("/email", str(problem)))
    try:
        name = parse_name(name)
    except ValueError as problem:
        faults.append(("/name", str(problem)))
    if fault := password_fault(password, name=name, email=email):
        faults.append(("/password", fault))
    if address is None or faults:
        raise Invalid(errors=faults)
    return Newcomer(address=address, name=name, password=password)


def _address(email: str) -> Address:
    try:
        return parse_address(email)
    except ValueError as problem:
        raise Invalid(errors=[("/email", str(problem))]) from problem


def _mail_buckets(ctx: Ctx, caller: Caller, address: Address) -> tuple[Bucket, ...]:
    """What a mail to somebody unproved counts against: the sender, then the address (`T14`)."""
    sender, settings = network_of(caller.request.ip), ctx.settings
    return (
        Bucket(of=("mails-from", sender), most=settings.mails_per_ip, per=MAIL_WINDOW),
        Bucket(of=("mails", address.key), most=settings.mails_per_address, per=MAIL_WINDOW),
    )
