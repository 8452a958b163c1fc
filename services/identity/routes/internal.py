"""The routes for the other services."""

from services.identity.domain.address_change import check_mailable
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.users import User
from services.identity.routes.oidc import key_set
from services.identity.use_cases import (
    address_change,
    api_tokens,
    erasure,
    factor_take_back,
    password_reset,
    verification,
)
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.named_users import named_users
from services.identity.use_cases.people import users_page
from services.identity.use_cases.users import user_by_id
from shared.contracts.calls.base import LinkAnswer
from shared.contracts.calls.identity import (
    ADDRESS_LINK,
    FACTOR_LINK,
    FAREWELL,
    FAREWELL_SENT,
    KEY_SET,
    NAMED_USERS,
    PASSWORD_RESET_LINK,
    READ_PEOPLE,
    SIGN_UP_LINK,
    TOKEN_USES,
    USER,
    VERIFICATION_LINK,
    AddressLinkAnswer,
    AddressLinkRequest,
    FactorLinkAnswer,
    FactorLinkRequest,
    FarewellAnswer,
    FarewellRequest,
    InternalUser,
    NamedUser,
    NamedUsers,
    NamedUsersRequest,
    PasswordResetLinkAnswer,
    PasswordResetLinkRequest,
    PeoplePage,
    PeopleQuery,
    PersonKnown,
    SignUpLinkRequest,
    TokenUsesReport,
    VerificationLinkRequest,
)
from shared.contracts.calls.leases import SNAPSHOT, SnapshotQuery
from shared.http.internal import internal_route
from shared.http.routes import Call, Reply
from shared.ids import ClientId, SignUpId, UserId
from shared.journal.snapshot import page_text
from shared.links import Link
from shared.problems import NotFound


async def get_user(ctx: Ctx, call: Call[None, None]) -> InternalUser:
    """Return a user for another service."""
    return _user(await user_by_id(ctx, UserId(call.path["user_id"])))


def _user(user: User) -> InternalUser:
    return InternalUser(
        user_id=user.id,
        email=user.email,
        email_verified=user.verified_at is not None,
        name=user.name,
        account_id=user.account_id,
    )


async def get_named_users(ctx: Ctx, call: Call[NamedUsersRequest, None]) -> NamedUsers:
    """Return the users that a service client names."""
    body = call.body
    found = await named_users(
        ctx,
        client_id=ClientId(body.client_id),
        external_ids=body.external_ids,
        user_ids=[UserId(user_id) for user_id in body.user_ids],
    )
    return NamedUsers(
        users=tuple(NamedUser(named=one.named, **dict(_user(one.user))) for one in found)
    )


async def refuse_old_link(ctx: Ctx, call: Call[VerificationLinkRequest, None]) -> LinkAnswer:
    """Refuse a link of earlier versions, whose mail may still be waiting."""
    raise LinkInvalid


async def sign_up_link(ctx: Ctx, call: Call[SignUpLinkRequest, None]) -> LinkAnswer:
    """Give the link of a pending sign-up, whose mail is about to be sent."""
    body = call.body
    found = await verification.link_to_mail(
        ctx, sign_up_id=SignUpId(body.id), generation=body.generation
    )
    links = ctx.sign_up_links
    return LinkAnswer(
        url=f"{ctx.settings.public_url}/verify?token={links.token(found)}", code=links.code(found)
    )


async def password_reset_link(
    ctx: Ctx, call: Call[PasswordResetLinkRequest, None]
) -> PasswordResetLinkAnswer:
    """Give the link of a password reset, whose mail is about to be sent."""
    body = call.body
    found = await password_reset.link_to_mail(
        ctx, user_id=UserId(body.id), generation=body.generation
    )
    token = ctx.reset_links.token(found)
    return PasswordResetLinkAnswer(url=f"{ctx.settings.public_url}/reset-password?token={token}")


async def address_link(ctx: Ctx, call: Call[AddressLinkRequest, None]) -> AddressLinkAnswer:
    """Give the link to a new address, or to a former one, whose mail is about to be sent."""
    body, base = call.body, ctx.settings.public_url
    if body.kind == "address-undo":
        found = await address_change.undo_link_to_mail(
            ctx, user_id=UserId(body.id), generation=body.generation
        )
        token = ctx.undo_links.token(found)
        return AddressLinkAnswer(url=f"{base}/undo-email?token={token}")
    link = Link(id=body.address_id, generation=body.generation)
    token = ctx.address_links.token(check_mailable(link, now=ctx.clock.now()))
    return AddressLinkAnswer(url=f"{base}/confirm-email?token={token}")


async def factor_link(ctx: Ctx, call: Call[FactorLinkRequest, None]) -> FactorLinkAnswer:
    """Give the link that takes a second factor back, whose mail is about to be sent."""
    body = call.body
    found = await factor_take_back.link_to_mail(
        ctx, user_id=UserId(body.id), generation=body.generation
    )
    token = ctx.take_back_links.token(found)
    return FactorLinkAnswer(url=f"{ctx.settings.public_url}/remove-factor?token={token}")


async def get_farewell(ctx: Ctx, call: Call[FarewellRequest, None]) -> FarewellAnswer:
    """Return to whom the last mail to an erased user goes."""
    found = await erasure.farewell_to_mail(ctx, UserId(call.body.id))
    return FarewellAnswer(email=found.email, name=found.name)


async def forget_farewell(ctx: Ctx, call: Call[FarewellRequest, None]) -> None:
    """Delete the name and address: the last mail is done with."""
    await erasure.forget_farewell(ctx, UserId(call.body.id))


async def get_snapshot(ctx: Ctx, call: Call[None, SnapshotQuery]) -> Reply:
    """Return one page of identity's policy objects."""
    return Reply(body=page_text(await ctx.snapshot.page(call.query.cursor)))


async def get_people(ctx: Ctx, call: Call[None, PeopleQuery]) -> PeoplePage:
    """Return some of the users, as mails to them need it."""
    page = await users_page(ctx, call.query.cursor)
    return PeoplePage(
        people=tuple(
            PersonKnown(
                user_id=user.id,
                account_id=user.account_id,
                email=user.email,
                locale=user.locale,
                time_zone=user.time_zone,
            )
            for user in page.users
        ),
        next_cursor=page.following,
    )


async def take_token_uses(ctx: Ctx, call: Call[TokenUsesReport, None]) -> None:
    """Take when API tokens were last used."""
    await api_tokens.note_uses(ctx, call.body.uses)


ROUTES = (
    internal_route(KEY_SET, key_set),
    internal_route(USER, get_user, refuses=(NotFound,)),
    internal_route(NAMED_USERS, get_named_users),
    internal_route(VERIFICATION_LINK, refuse_old_link, refuses=(LinkInvalid,)),
    internal_route(SIGN_UP_LINK, sign_up_link, refuses=(LinkInvalid,)),
    internal_route(PASSWORD_RESET_LINK, password_reset_link, refuses=(LinkInvalid,)),
    internal_route(ADDRESS_LINK, address_link, refuses=(LinkInvalid,)),
    internal_route(FACTOR_LINK, factor_link, refuses=(LinkInvalid,)),
    internal_route(FAREWELL, get_farewell, refuses=(LinkInvalid,)),
    internal_route(FAREWELL_SENT, forget_farewell),
    internal_route(SNAPSHOT, get_snapshot),
    internal_route(READ_PEOPLE, get_people),
    internal_route(TOKEN_USES, take_token_uses),
)
