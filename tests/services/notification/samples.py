"""Facts that cause a mail, each with the mail that it must cause; and facts that cause none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from services.notification.domain.messages import LinkRequest, MessageKind
from services.notification.domain.wording import stored_moment
from shared.contracts import (
    audit,
    audit_retention,
    audit_streams,
    identity,
    identity_erasure,
    identity_tokens,
    notification_webhooks,
    team,
    team_catalogs,
    team_connections,
    team_endings,
    team_members,
    team_ownership,
    team_provisioning,
    team_resources,
)
from shared.contracts import identity_addresses as addresses
from shared.contracts import identity_connections as connections
from shared.contracts.calls.identity import (
    AddressLinkRequest,
    FactorLinkRequest,
    FarewellRequest,
    PasswordResetLinkRequest,
    SignUpLinkRequest,
)
from shared.contracts.calls.team import InvitationLinkRequest
from shared.contracts.identity_access import AccessBesidePassword
from shared.contracts.identity_passkeys import PasskeyCopySuspected
from shared.contracts.team_ownership import OfferEnd
from tests.services.rows import NOON

if TYPE_CHECKING:
    from datetime import datetime

    from shared.contracts.facts import Payload

INVITATION_ID = "inv_" + "0" * 31 + "1"
USER_ID = "usr_" + "0" * 31 + "1"
ERASED_ID = "usr_" + "0" * 31 + "2"
"""A user of whom no other fact tells: what waits for an erased user is deleted."""
SIGN_UP_ID = "sup_" + "0" * 31 + "1"
NOTHING_LEFT = dict.fromkeys(
    (
        "ended_tokens",
        "ended_issuers",
        "left_tokens",
        "left_issuers",
        "left_app",
        "left_passkeys",
    ),
    "",
)
IN_A_WEEK = NOON + timedelta(days=7)
USER: dict[str, Any] = {
    "user_id": USER_ID,
    "email": "bo@example.com",
    "name": "Bo Li",
    "account_id": "acc_bo",
}
IDENTITY = {
    "identity_id": "idn_1",
    "issuer": "https://issuer.example",
    "connection_id": "acme",
    "label": "Acme",
}
IDENTITY_WORDS = {"name": "Bo Li", "label": "Acme", "changed_at": stored_moment(NOON)}
CONNECTION: dict[str, Any] = {
    "connection_id": "sso_1",
    "label": "Acme",
    "issuer": "https://issuer.example",
    "domain": "acme.example",
    "account_name": "Acme",
    "manager_emails": ("ana@example.com", "cem@example.com", "ana@example.com"),
}
BY_RULE = {"connection_id": "sso_1", "connection_label": "Acme", "rule_set_by": "usr_ana"}
SIGN_UP: dict[str, Any] = {
    "sign_up_id": SIGN_UP_ID,
    "email": "bo@example.com",
    "name": "Bo Li",
    "expires_at": IN_A_WEEK,
}
MEMBER: dict[str, Any] = {
    "account_name": "Acme",
    "user_id": "usr_bo",
    "email": "bo@example.com",
    "name": "Bo Li",
    "role": "developer",
}
GIVEN: dict[str, Any] = {
    "account_name": "Acme",
    "from_user_id": "usr_cem",
    "to_user_id": "usr_bo",
    "email": "bo@example.com",
    "name": "Bo Li",
    "resources": (),
}
INVITATION: dict[str, Any] = {
    "account_name": "Acme",
    "invitation_id": INVITATION_ID,
    "email": "bo@example.com",
    "role": "developer",
}
OPEN: dict[str, Any] = INVITATION | {
    "role_title": "Developer",
    "inviter_name": "Ana Díaz",
    "generation": 1,
    "expires_at": IN_A_WEEK,
}
INVITER: dict[str, Any] = {"inviter_user_id": "usr_ana", "inviter_email": "ana@example.com"}
PASSED: dict[str, Any] = {"from_user_id": "usr_cem", "to_user_id": "usr_ana"}
MOVED: dict[str, Any] = {
    "account_name": "Acme",
    "catalog": "print-shop@1",
    "catalog_title": "Print Shop",
    "previous_catalog": "standard@1",
    "owner_email": "ana@example.com",
}
OVERRIDE: dict[str, Any] = {
    "account_name": "Acme",
    "project_id": "prj_1",
    "project_name": "prod",
    "project_word": "cluster",
    "user_id": "usr_bo",
    "email": "bo@example.com",
}
OWNED: dict[str, Any] = {
    "account_name": "Acme",
    "owner_user_id": "usr_ana",
    "owner_email": "ana@example.com",
    "owner_name": "Ana Díaz",
}
OWNER_TOLD: dict[str, str] = {"account": "Acme", "name": "Ana Díaz"}
OFFER: dict[str, Any] = {
    "account_name": "Acme",
    "owner_user_id": "usr_ana",
    "owner_name": "Ana Díaz",
    "owner_email": "ana@example.com",
    "user_id": "usr_bo",
    "name": "Bo Li",
    "email": "bo@example.com",
}
OFFER_WORDS = {"account": "Acme", "owner": "Ana Díaz", "member": "Bo Li", "email": "bo@example.com"}
ROLE_CHANGED: dict[str, Any] = MEMBER | {"previous_role": "basic", "role_title": "Developer"}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The mail that follows from a fact whose actor is Ana Díaz."""

    kind: MessageKind
    words: dict[str, str]
    to: str = "bo@example.com"
    also: tuple[str, ...] = ()
    link: LinkRequest | None = None
    expires_at: datetime | None = None


def _connection_told(event: str, joins: str) -> Expected:
    return Expected(
        kind=MessageKind.SSO_CONNECTION,
        to="ana@example.com",
        also=("cem@example.com",),
        words={
            "account": "Acme",
            "event": event,
            "label": "Acme",
            "joins": joins,
            "changed_at": stored_moment(NOON),
            "actor": "Ana Díaz",
        },
    )


VERIFICATION = Expected(
    kind=MessageKind.VERIFY_EMAIL,
    words={"name": "Bo Li"},
    link=SignUpLinkRequest(kind="sign-up", id=SIGN_UP_ID, generation=1),
    expires_at=IN_A_WEEK,
)
INVITATION_MAIL = Expected(
    kind=MessageKind.INVITATION,
    words={
        "account": "Acme",
        "inviter": "Ana Díaz",
        "role": "Developer",
        "email": "bo@example.com",
    },
    link=InvitationLinkRequest(kind="invitation", id=INVITATION_ID, generation=1),
    expires_at=IN_A_WEEK,
)
PROJECT_WORDS = {
    "account": "Acme",
    "project": "prod",
    "project_word": "cluster",
    "actor": "Ana Díaz",
}

MAILS: tuple[tuple[Payload, Expected], ...] = (
    (identity.SignUpRequested(**SIGN_UP, generation=1), VERIFICATION),
    (
        identity.UserSignUpRefused(**USER),
        Expected(kind=MessageKind.ACCOUNT_EXISTS, words={"name": "Bo Li"}),
    ),
    (
        identity.UserPasswordResetRequested(**USER, generation=2, expires_at=IN_A_WEEK),
        Expected(
            kind=MessageKind.PASSWORD_RESET,
            words={"name": "Bo Li"},
            link=PasswordResetLinkRequest(kind="password-reset", id=USER_ID, generation=2),
            expires_at=IN_A_WEEK,
        ),
    ),
    *(
        (
            identity.UserPasswordChanged(**USER, by_reset=by_reset),
            Expected(
                kind=MessageKind.PASSWORD_CHANGED,
                words={
                    "name": "Bo Li",
                    "by_reset": "yes" if by_reset else "",
                    "changed_at": stored_moment(NOON),
                    **NOTHING_LEFT,
                },
            ),
        )
        for by_reset in (True, False)
    ),
    (
        identity.UserPasswordChanged(
            **USER,
            by_reset=True,
            ended=AccessBesidePassword(
                api_tokens=2, token_names=("CI", "Night"), issuers=("Acme",)
            ),
            left=AccessBesidePassword(
                api_tokens=12,
                token_names=("A", "B"),
                issuers=("Acme", "Corp"),
                second_factors=("totp", "passkey", "passkey"),
            ),
        ),
        Expected(
            kind=MessageKind.PASSWORD_CHANGED,
            words={
                "name": "Bo Li",
                "by_reset": "yes",
                "changed_at": stored_moment(NOON),
                "ended_tokens": "CI, Night",
                "ended_issuers": "Acme",
                "left_tokens": "A, B + 10",
                "left_issuers": "Acme, Corp",
                "left_app": "yes",
                "left_passkeys": "2",
            },
        ),
    ),
    *(
        (
            fact(**USER, kind=sort),
            Expected(
                kind=kind,
                words={
                    "name": "Bo Li",
                    "changed_at": stored_moment(NOON),
                    "passkey": "yes" if sort == "passkey" else "",
                    **more,
                },
            ),
        )
        for sort in ("totp", "passkey")
        for fact, kind, more in (
            (identity.SecondFactorAdded, MessageKind.SECOND_FACTOR_ADDED, {}),
            (
                identity.SecondFactorRemoved,
                MessageKind.SECOND_FACTOR_REMOVED,
                {"by_platform": "", "taken_back": ""},
            ),
        )
    ),
    (
        identity.SecondFactorAdded(**USER, kind="totp", beginning=2, take_back_until=IN_A_WEEK),
        Expected(
            kind=MessageKind.SECOND_FACTOR_ADDED,
            words={"name": "Bo Li", "changed_at": stored_moment(NOON), "passkey": ""},
            expires_at=IN_A_WEEK,
            link=FactorLinkRequest(kind="factor-take-back", id=USER_ID, generation=2),
        ),
    ),
    (
        identity.RecoveryCodesReplaced(**USER),
        Expected(
            kind=MessageKind.RECOVERY_CODES_REPLACED,
            words={"name": "Bo Li", "changed_at": stored_moment(NOON)},
        ),
    ),
    (
        PasskeyCopySuspected(**USER, passkey="Phone"),
        Expected(
            kind=MessageKind.PASSKEY_COPY_SUSPECTED,
            words={
                "name": "Bo Li",
                "changed_at": stored_moment(NOON),
                "passkey_name": "Phone",
            },
        ),
    ),
    (
        identity.RecoveryCodeUsed(**USER, left=9),
        Expected(
            kind=MessageKind.RECOVERY_CODE_USED,
            words={"name": "Bo Li", "changed_at": stored_moment(NOON), "codes_left": "9"},
        ),
    ),
    (
        identity_tokens.ApiTokenCreated(
            **USER,
            account_name="Acme",
            token_id="tok_1",
            token_name="CI",
            expires_at=IN_A_WEEK,
            restricted=False,
        ),
        Expected(
            kind=MessageKind.TOKEN_CREATED,
            words={
                "name": "Bo Li",
                "token": "CI",
                "account": "Acme",
                "created_at": stored_moment(NOON),
                "until": stored_moment(IN_A_WEEK),
            },
        ),
    ),
    (
        identity_tokens.ApiTokenCreated(
            **USER, token_id="tok_1", token_name="CI", expires_at=IN_A_WEEK, restricted=False
        ),
        Expected(
            kind=MessageKind.TOKEN_CREATED,
            words={
                "name": "Bo Li",
                "token": "CI",
                "created_at": stored_moment(NOON),
                "until": stored_moment(IN_A_WEEK),
            },
        ),
    ),
    *(
        (
            identity_tokens.ApiTokenExpiryAnnounced(
                **USER,
                token_id="tok_1",
                token_name="CI",
                account_name="Acme",
                expires_at=IN_A_WEEK,
                last_used_at=used,
            ),
            Expected(
                kind=MessageKind.TOKEN_EXPIRY,
                words={
                    "name": "Bo Li",
                    "token": "CI",
                    "account": "Acme",
                    "until": stored_moment(IN_A_WEEK),
                    "used_at": word,
                },
            ),
        )
        for used, word in ((NOON, stored_moment(NOON)), (None, ""))
    ),
    *(
        (
            identity.UserIdentityLinked(**USER, **IDENTITY, how=how),
            Expected(kind=MessageKind.IDENTITY_LINKED, words=IDENTITY_WORDS | {"how": how}),
        )
        for how in ("address", "user")
    ),
    (
        identity.UserIdentityUnlinked(**USER, **IDENTITY),
        Expected(kind=MessageKind.IDENTITY_UNLINKED, words=IDENTITY_WORDS),
    ),
    (
        identity.SessionReuseDetected(
            session_id="ses_1",
            user_id="usr_bo",
            email="bo@example.com",
            name="Bo Li",
            ended_at=NOON,
        ),
        Expected(kind=MessageKind.SIGNED_OUT, words={"name": "Bo Li"}),
    ),
    (
        addresses.UserEmailChangeRequested(**USER, new_email="bo@new.example"),
        Expected(
            kind=MessageKind.EMAIL_CHANGE_REQUESTED,
            words={
                "name": "Bo Li",
                "email": "bo@new.example",
                "changed_at": stored_moment(NOON),
            },
        ),
    ),
    (
        addresses.AddressLinkRequested(
            user_id=USER_ID,
            email="bo@example.com",
            name="Bo Li",
            generation=2,
            expires_at=IN_A_WEEK,
            address_id="adr_" + "1" * 32,
        ),
        Expected(
            kind=MessageKind.EMAIL_CHANGE,
            words={"name": "Bo Li"},
            expires_at=IN_A_WEEK,
            link=AddressLinkRequest(
                kind="address-change", id=USER_ID, generation=2, address_id="adr_" + "1" * 32
            ),
        ),
    ),
    (
        addresses.UserEmailRestored(**USER, previous_email="thief@new.example"),
        Expected(
            kind=MessageKind.EMAIL_RESTORED,
            also=("thief@new.example",),
            words={
                "name": "Bo Li",
                "email": "bo@example.com",
                "changed_at": stored_moment(NOON),
            },
        ),
    ),
    (
        addresses.UserAddressWanted(**USER),
        Expected(kind=MessageKind.EMAIL_WANTED, words={"name": "Bo Li"}),
    ),
    *(
        (
            addresses.UserEmailChanged(
                **USER | {"email": "bo@new.example"},
                previous_email="bo@example.com",
                undo_generation=generation,
                undo_until=until,
            ),
            Expected(
                kind=MessageKind.EMAIL_CHANGED,
                words={
                    "name": "Bo Li",
                    "email": "bo@new.example",
                    "changed_at": stored_moment(NOON),
                },
                expires_at=until,
                link=link,
            ),
        )
        for generation, until, link in (
            (
                3,
                IN_A_WEEK,
                AddressLinkRequest(kind="address-undo", id=USER_ID, generation=3),
            ),
            (None, None, None),
        )
    ),
    (
        identity.SessionStarted(
            session_id="ses_1",
            user_id="usr_bo",
            device="Firefox on Linux",
            network="203.0.113.7",
            place="Vienna",
            new_device=True,
            email="bo@example.com",
            name="Bo Li",
        ),
        Expected(
            kind=MessageKind.NEW_DEVICE,
            words={
                "name": "Bo Li",
                "device": "Firefox on Linux",
                "network": "203.0.113.7",
                "place": "Vienna",
                "started_at": stored_moment(NOON),
            },
        ),
    ),
    (team.InvitationCreated(**OPEN, delivery="email"), INVITATION_MAIL),
    (team.InvitationResent(**OPEN, delivery="email"), INVITATION_MAIL),
    (
        team.InvitationAccepted(
            **INVITATION, **INVITER, role_title="Developer", user_id="usr_bo", name="Bo Li"
        ),
        Expected(
            kind=MessageKind.INVITATION_ACCEPTED,
            to="ana@example.com",
            words={
                "account": "Acme",
                "member": "Bo Li",
                "email": "bo@example.com",
                "role": "Developer",
            },
        ),
    ),
    (
        # From a version whose facts had no title of the role.
        team.InvitationAccepted(**INVITATION, **INVITER, user_id="usr_bo", name="Bo Li"),
        Expected(
            kind=MessageKind.INVITATION_ACCEPTED,
            to="ana@example.com",
            words={
                "account": "Acme",
                "member": "Bo Li",
                "email": "bo@example.com",
                "role": "developer",
            },
        ),
    ),
    (
        team.InvitationDeclined(**INVITATION, **INVITER),
        Expected(
            kind=MessageKind.INVITATION_DECLINED,
            to="ana@example.com",
            words={"account": "Acme", "email": "bo@example.com"},
        ),
    ),
    (
        team.InvitationPassed(
            **INVITATION,
            **PASSED,
            role_title="Developer",
            made_by_name="Cem",
            to_email="ana@example.com",
        ),
        Expected(
            kind=MessageKind.INVITATION_PASSED,
            to="ana@example.com",
            words={
                "account": "Acme",
                "member": "Cem",
                "email": "bo@example.com",
                "role": "Developer",
            },
        ),
    ),
    *(
        (
            team.InvitationBounced(**INVITATION, **INVITER, resend_offered=resend, because=because),
            Expected(
                kind=MessageKind.INVITATION_BOUNCED,
                to="ana@example.com",
                words={
                    "account": "Acme",
                    "email": "bo@example.com",
                    "resend_offered": "yes" if resend else "",
                    "because": because or "",
                },
            ),
        )
        for resend, because in ((True, "mailbox-full"), (False, None))
    ),
    (
        identity.UserDisabled(**USER, explanation="Leaked credentials."),
        Expected(
            kind=MessageKind.USER_DISABLED,
            to="bo@example.com",
            words={"name": "Bo Li", "explanation": "Leaked credentials."},
        ),
    ),
    (
        identity_erasure.UserErased(user_id=ERASED_ID, account_id="acc_1"),
        Expected(
            kind=MessageKind.USER_ERASED,
            to="",
            words={},
            link=FarewellRequest(kind="farewell", id=ERASED_ID),
        ),
    ),
    (
        identity.UserEnabled(**USER),
        Expected(kind=MessageKind.USER_ENABLED, to="bo@example.com", words={"name": "Bo Li"}),
    ),
    (
        team_endings.AccountSuspended(**OWNED, explanation="An unpaid invoice."),
        Expected(
            kind=MessageKind.ACCOUNT_SUSPENDED,
            to="ana@example.com",
            words=OWNER_TOLD | {"explanation": "An unpaid invoice."},
        ),
    ),
    (
        team_endings.AccountResumed(**OWNED),
        Expected(kind=MessageKind.ACCOUNT_RESUMED, to="ana@example.com", words=OWNER_TOLD),
    ),
    *(
        (
            team_endings.AccountDeletionRequested(
                **OWNED, deletes_at=IN_A_WEEK, members=members, personal_account_id=opened
            ),
            Expected(
                kind=MessageKind.ACCOUNT_DELETED,
                to="ana@example.com",
                words=OWNER_TOLD
                | {
                    "deletes_at": stored_moment(IN_A_WEEK),
                    "members": "yes" if members else "",
                    "personal": "yes" if opened else "",
                },
            ),
        )
        for members, opened in ((0, "acc_new"), (2, None))
    ),
    *(
        (
            team_endings.AccountRestored(**OWNED, members=members),
            Expected(
                kind=MessageKind.ACCOUNT_RESTORED,
                to="ana@example.com",
                words=OWNER_TOLD | {"members": "yes" if members else ""},
            ),
        )
        for members in (0, 2)
    ),
    (
        team_endings.AccountMembersShutOut(
            account_name="Acme", emails=("bo@example.com", "cem@example.com")
        ),
        Expected(
            kind=MessageKind.SECOND_FACTOR_DEMANDED,
            to="bo@example.com",
            also=("cem@example.com",),
            words={"account": "Acme", "actor": "Ana Díaz"},
        ),
    ),
    *(
        (
            team_endings.AccountMembersInformed(
                account_name="Acme", about=about, emails=("bo@example.com", "cem@example.com")
            ),
            Expected(
                kind=kind,
                to="bo@example.com",
                also=("cem@example.com",),
                words={"account": "Acme", "actor": "Ana Díaz"},
            ),
        )
        for about, kind in (
            ("deletion", MessageKind.ACCESS_ENDED),
            ("restoration", MessageKind.ACCESS_RESTORED),
        )
    ),
    *(
        (fact, _connection_told(event, joins))
        for fact, event, joins in (
            (connections.SsoConnectionCreated(**CONNECTION), "created", ""),
            (connections.SsoDomainProved(**CONNECTION, join_role="developer"), "proved", "yes"),
            (connections.SsoConnectionChanged(**CONNECTION, changed=("label",)), "changed", ""),
            (connections.SsoDomainLost(**CONNECTION), "lost", ""),
            (connections.SsoConnectionDeleted(**CONNECTION), "deleted", ""),
        )
    ),
    (
        team_connections.MemberJoinedByConnection(**MEMBER, **BY_RULE, role_title="Developer"),
        Expected(
            kind=MessageKind.ADDED,
            words={
                "account": "Acme",
                "name": "Bo Li",
                "role": "Developer",
                "ends": "",
                "through": "Acme",
            },
        ),
    ),
    (
        audit.CheckpointPublished(
            account_name="Acme",
            origin="rolecall.example/audit/acc_1",
            size=7,
            checkpoint="rolecall.example/audit/acc_1\n7\ncm9vdA==\n\n— rolecall.example c2ln\n",
            verifier="rolecall.example/audit+00000000+a2V5",
            manager_emails=("ana@example.com", "cem@example.com"),
        ),
        Expected(
            kind=MessageKind.AUDIT_CHECKPOINT,
            to="ana@example.com",
            also=("cem@example.com",),
            words={
                "account": "Acme",
                "origin": "rolecall.example/audit/acc_1",
                "size": "7",
                "root": "cm9vdA==",
                "signature": "— rolecall.example c2ln",
            },
        ),
    ),
    (
        team_connections.JoinRefused(
            **MEMBER, **BY_RULE, problem="guardrail", manager_emails=("ana@example.com",)
        ),
        Expected(
            kind=MessageKind.JOIN_REFUSED,
            to="ana@example.com",
            words={
                "account": "Acme",
                "label": "Acme",
                "member": "Bo Li",
                "email": "bo@example.com",
                "problem": "guardrail",
            },
        ),
    ),
    (
        team.MemberLeft(
            **MEMBER, manager_emails=("ana@example.com", "cem@example.com", "ana@example.com")
        ),
        Expected(
            kind=MessageKind.MEMBER_LEFT,
            to="ana@example.com",
            also=("cem@example.com",),
            words={"account": "Acme", "member": "Bo Li", "email": "bo@example.com"},
        ),
    ),
    *(
        (
            team_provisioning.MemberProvisioned(
                **MEMBER,
                role_title="Developer",
                client_id="cli_" + "1" * 32,
                expires_at=ends,
                notify=True,
            ),
            Expected(
                kind=MessageKind.ADDED,
                words={
                    "account": "Acme",
                    "name": "Bo Li",
                    "role": "Developer",
                    "ends": "" if ends is None else stored_moment(ends),
                },
            ),
        )
        for ends in (None, IN_A_WEEK)
    ),
    *(
        (
            team.MemberRoleChanged(**ROLE_CHANGED, ends_sessions=ends, catalog_title=catalog),
            Expected(
                kind=MessageKind.ROLE_CHANGED,
                words={
                    "account": "Acme",
                    "name": "Bo Li",
                    "role": "Developer",
                    "actor": "Ana Díaz",
                    "signs_in_again": "yes" if ends else "",
                    "new_catalog": catalog or "",
                },
            ),
        )
        for ends, catalog in ((False, None), (True, None), (False, "Print Shop"))
    ),
    *(
        (
            team_members.MemberEndSet(**MEMBER, expires_at=ends),
            Expected(
                kind=MessageKind.MEMBERSHIP_END,
                words={
                    "account": "Acme",
                    "name": "Bo Li",
                    "ends": "" if ends is None else stored_moment(ends),
                    "actor": "Ana Díaz",
                },
            ),
        )
        for ends in (IN_A_WEEK, None)
    ),
    *(
        (
            fact(**MEMBER),
            Expected(kind=kind, words={"account": "Acme", "name": "Bo Li", "actor": "Ana Díaz"}),
        )
        for fact, kind in (
            (team_members.MemberSuspended, MessageKind.SUSPENDED),
            (team_members.MemberResumed, MessageKind.RESUMED),
        )
    ),
    (
        team.MemberRemoved(**MEMBER),
        Expected(
            kind=MessageKind.REMOVED,
            words={"account": "Acme", "name": "Bo Li", "actor": "Ana Díaz"},
        ),
    ),
    (
        team.OverrideSet(**OVERRIDE, expires_at=None),
        Expected(kind=MessageKind.OVERRIDE_SET, words=PROJECT_WORDS),
    ),
    (
        team.OverrideSet(**OVERRIDE, expires_at=IN_A_WEEK),
        Expected(kind=MessageKind.OVERRIDE_SET, words=PROJECT_WORDS, expires_at=IN_A_WEEK),
    ),
    (
        team.OverrideRemoved(**OVERRIDE),
        Expected(kind=MessageKind.OVERRIDE_REMOVED, words=PROJECT_WORDS),
    ),
    *(
        (
            team_resources.ResourcesReassigned(**GIVEN, from_name=former),
            Expected(
                kind=MessageKind.RESOURCES_GIVEN,
                words={
                    "account": "Acme",
                    "name": "Bo Li",
                    "former": former,
                    "actor": "Ana Díaz",
                },
            ),
        )
        for former in ("Cem Kaya", "")
    ),
    (
        team_catalogs.AccountMoved(**MOVED, by_platform=True),
        Expected(
            kind=MessageKind.ACCOUNT_MOVED,
            to="ana@example.com",
            words={"account": "Acme", "catalog": "Print Shop"},
        ),
    ),
    *(
        (
            notification_webhooks.WebhookDisabled(
                webhook_id="whk_1",
                host="hooks.acme.example",
                because=because,
                description="Billing",
                account_name="Acme",
                manager_emails=("ana@example.com", "cem@example.com"),
            ),
            Expected(
                kind=MessageKind.WEBHOOK_DISABLED,
                to="ana@example.com",
                also=("cem@example.com",),
                words={
                    "account": "Acme",
                    "webhook_id": "whk_1",
                    "description": "Billing",
                    "host": "hooks.acme.example",
                    "gone": gone,
                },
            ),
        )
        for because, gone in (("gone", "yes"), ("failing", ""))
    ),
    *(
        (
            audit_streams.LogStreamPaused(
                stream_id="str_1",
                host="siem.acme.example",
                because=because,
                name="SIEM",
                account_name="Acme",
                manager_emails=("ana@example.com", "cem@example.com"),
            ),
            Expected(
                kind=MessageKind.LOG_STREAM_PAUSED,
                to="ana@example.com",
                also=("cem@example.com",),
                words={
                    "account": "Acme",
                    "stream": "SIEM",
                    "stream_id": "str_1",
                    "host": "siem.acme.example",
                    "because": because,
                },
            ),
        )
        for because in ("gone", "failing", "set-back")
    ),
    *(
        (
            audit_retention.RetentionChanged(
                days=days,
                previous_days=365,
                in_force_at=in_force_at,
                account_name="Acme",
                manager_emails=("ana@example.com", "cem@example.com"),
            ),
            Expected(
                kind=MessageKind.AUDIT_RETENTION,
                to="ana@example.com",
                also=("cem@example.com",),
                words={"account": "Acme", "actor": "Ana Díaz"} | words,
            ),
        )
        for days, in_force_at, words in (
            (90, IN_A_WEEK, {"days": "90", "until": stored_moment(IN_A_WEEK)}),
            (None, NOON, {"days": "", "until": ""}),
        )
    ),
    (
        team_ownership.OwnershipOffered(**OFFER, role_title="Owner", expires_at=IN_A_WEEK),
        Expected(
            kind=MessageKind.OWNERSHIP_OFFERED,
            words=OFFER_WORDS | {"role": "Owner"},
            expires_at=IN_A_WEEK,
        ),
    ),
    *(
        (
            team_ownership.OwnershipTransferred(
                **OFFER,
                former_owner_role="admin",
                former_owner_role_title="Admin",
                personal_account_id=opened,
            ),
            Expected(
                kind=MessageKind.OWNERSHIP_TRANSFERRED,
                to="ana@example.com",
                words=OFFER_WORDS | {"role": "Admin", "personal": "yes" if opened else ""},
            ),
        )
        for opened in ("acc_new", None)
    ),
    (
        team_ownership.OwnershipDeclined(**OFFER),
        Expected(kind=MessageKind.OWNERSHIP_DECLINED, to="ana@example.com", words=OFFER_WORDS),
    ),
    (
        team_ownership.OwnershipCancelled(**OFFER),
        Expected(kind=MessageKind.OWNERSHIP_CANCELLED, words=OFFER_WORDS),
    ),
    (
        team_ownership.OwnershipOfferEnded(**OFFER, reason=OfferEnd.EXPIRED),
        Expected(
            kind=MessageKind.OWNERSHIP_OFFER_ENDED,
            to="ana@example.com",
            also=("bo@example.com",),
            words=OFFER_WORDS | {"expired": "yes"},
        ),
    ),
    (
        team_ownership.OwnershipOfferEnded(**OFFER, reason=OfferEnd.MEMBER),
        Expected(
            kind=MessageKind.OWNERSHIP_OFFER_ENDED,
            to="ana@example.com",
            words=OFFER_WORDS | {"expired": ""},
        ),
    ),
)
WITHOUT_MAIL: tuple[Payload, ...] = (
    audit_streams.LogStreamPaused(stream_id="str_1", host="x.example", because="reverted"),
    audit_retention.RetentionChanged(days=None, previous_days=30, in_force_at=NOON),
    notification_webhooks.WebhookDisabled(webhook_id="whk_1", host="x.example", because="gone"),
    identity.UserSignedUp(**USER, verified=True, generation=1),
    # Of earlier versions: their links do not work any more.
    identity.UserSignedUp(**USER, verified=False, generation=1),
    identity.UserVerificationResent(**USER, generation=2),
    team.InvitationCreated(**OPEN, delivery="link"),
    team.InvitationResent(**OPEN, delivery="link"),
    team.InvitationCreated(**OPEN, delivery="email", withheld=True),
    team.InvitationResent(**OPEN, delivery="email", withheld=True),
    team.InvitationRevoked(**INVITATION),
    # Of earlier versions, without the addresses of those who are told.
    team_catalogs.AccountMoved(**MOVED, by_platform=False),
    team.MemberLeft(**MEMBER),
    connections.SsoConnectionDeleted(**CONNECTION | {"manager_emails": ()}),
    # A former member who signs in concerns no manager.
    team_connections.JoinRefused(**MEMBER, **BY_RULE, problem="former-member"),
    team.InvitationPassed(**INVITATION, **PASSED),
    # The mails about the transfer say it.
    team.MemberRoleChanged(**ROLE_CHANGED, ends_sessions=False, by_transfer=True),
    team.OverrideRemoved(**OVERRIDE, by_transfer=True),
    # Mails about the account say what happened to it.
    team_ownership.OwnershipOfferEnded(**OFFER, reason=OfferEnd.ACCOUNT),
    team_members.MemberAttributesSet(**MEMBER, attributes={"level": 3}),
    team_members.MemberLinked(**MEMBER, external_id="7f3a"),
    # Further facts of one change, and a member who gave the resources to themself.
    team_resources.ResourcesReassigned(**GIVEN | {"email": ""}),
    team_resources.ResourcesReassigned(**GIVEN | {"to_user_id": "usr_ana"}),
)
