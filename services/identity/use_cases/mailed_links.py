"""A look at a mailed link before it is used; it changes nothing.

Only the holder of a link that this service made learns anything. One that is over gets the answer
of a forged one.
"""

from dataclasses import dataclass

from services.identity.domain import address_change, password_reset, verification
from services.identity.domain.factor_take_back import taken_back_by
from services.identity.domain.mailed_links import LinkInvalid, LinkStatus, MailedLinkKind
from services.identity.domain.other_access import AccessToEnd
from services.identity.use_cases import factor_take_back
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.other_access import count_other_access
from services.identity.use_cases.sessions import active_session
from shared.auth.principals import UserPrincipal
from shared.ids import SignUpId, UserId
from shared.links import Link, Links


@dataclass(frozen=True, kw_only=True)
class OpenedLink:
    """What a link shows: how far it is, and the address that it is about.

    A link to a new address does not name it: the mailbox knows its own. One that resets a password
    also counts the `access` that can end with it.
    """

    status: LinkStatus
    email: str | None = None
    access: AccessToEnd | None = None


async def look_up(ctx: Ctx, *, kind: MailedLinkKind, token: str, code: str | None) -> OpenedLink:
    """Look at a link as its page does.

    Raises:
        LinkInvalid: it is forged, used, superseded or expired.
    """
    links = _links(ctx, kind)
    link = links.read(token)
    if link is None or (code is not None and not links.fits(link, code)):
        raise LinkInvalid
    match kind:
        case MailedLinkKind.VERIFICATION:
            return await _verification(ctx, link)
        case MailedLinkKind.PASSWORD_RESET:
            return await _password_reset(ctx, link)
        case MailedLinkKind.NEW_ADDRESS:
            address_change.check_mailable(link, now=ctx.clock.now())
            return OpenedLink(status=LinkStatus.OPEN)
        case MailedLinkKind.FORMER_ADDRESS:
            return await _former_address(ctx, link)
        case MailedLinkKind.SECOND_FACTOR:
            return await _second_factor(ctx, link)


async def look_up_own(ctx: Ctx, principal: UserPrincipal, *, token: str) -> OpenedLink:
    """Look at a link to a new address as the user of the request.

    Raises:
        LinkInvalid: it is forged, expired, or of an address for which the user does not wait.
        TokenRevoked: the session has ended.
    """
    link = ctx.address_links.read(token)
    if link is None:
        raise LinkInvalid
    user, now = (await active_session(ctx, principal)).user, ctx.clock.now()
    if address_change.confirmed_by(user, link, now=now):
        return OpenedLink(status=LinkStatus.DONE, email=user.email)
    address = address_change.check_link(user, link, now=now)
    if await ctx.store.user_of(address.key) is not None:
        raise LinkInvalid
    return OpenedLink(status=LinkStatus.OPEN, email=address.typed)


def _links(ctx: Ctx, kind: MailedLinkKind) -> Links:
    match kind:
        case MailedLinkKind.VERIFICATION:
            return ctx.sign_up_links
        case MailedLinkKind.PASSWORD_RESET:
            return ctx.reset_links
        case MailedLinkKind.NEW_ADDRESS:
            return ctx.address_links
        case MailedLinkKind.FORMER_ADDRESS:
            return ctx.undo_links
        case MailedLinkKind.SECOND_FACTOR:
            return ctx.take_back_links


async def _verification(ctx: Ctx, link: Link) -> OpenedLink:
    pending = verification.check_link(
        await ctx.store.sign_up(SignUpId(link.id)),
        generation=link.generation,
        now=ctx.clock.now(),
    )
    if pending.used_at is not None:
        return OpenedLink(status=LinkStatus.DONE, email=pending.email)
    if await ctx.store.user_of(pending.email_key) is not None:
        raise LinkInvalid
    return OpenedLink(status=LinkStatus.OPEN, email=pending.email)


async def _password_reset(ctx: Ctx, link: Link) -> OpenedLink:
    user, now = await ctx.store.user(UserId(link.id)), ctx.clock.now()
    try:
        found = password_reset.check_link(user, generation=link.generation, now=now)
    except LinkInvalid:
        found = password_reset.check_repeat(user, generation=link.generation, now=now)
        return OpenedLink(status=LinkStatus.DONE, email=found.email)
    access = await count_other_access(ctx, found, now=now)
    return OpenedLink(status=LinkStatus.OPEN, email=found.email, access=access)


async def _former_address(ctx: Ctx, link: Link) -> OpenedLink:
    user, now = await ctx.store.user(UserId(link.id)), ctx.clock.now()
    if user is not None and address_change.restored_by(user, generation=link.generation, now=now):
        return OpenedLink(status=LinkStatus.DONE, email=user.email)
    former = address_change.check_undo(user, generation=link.generation, now=now)
    if await ctx.store.user_of(former.email_key) is not None:
        raise LinkInvalid
    return OpenedLink(status=LinkStatus.OPEN, email=former.email)


async def _second_factor(ctx: Ctx, link: Link) -> OpenedLink:
    user_id = UserId(link.id)
    if taken_back_by(await ctx.store.factors(user_id), generation=link.generation):
        user = await ctx.store.user(user_id)
        return OpenedLink(status=LinkStatus.DONE, email=None if user is None else user.email)
    return OpenedLink(status=LinkStatus.OPEN, email=await factor_take_back.check(ctx, link))
