"""Groups of messages, as people choose among them: what each is called in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.notification.domain.messages import MessageKind
from services.notification.domain.preferences import OPTIONAL_KINDS
from shared.locales import Locale


class KindGroup(StrEnum):
    """The groups, in the order of the page."""

    MEMBERSHIP = "membership"
    PEOPLE = "people"
    OWNERSHIP = "ownership"
    ACCOUNTS = "accounts"
    TOKENS = "tokens"
    SIGN_IN = "sign_in"
    ENDINGS = "endings"
    ANSWERS = "answers"


@dataclass(frozen=True, slots=True)
class GroupText:
    """What a group is called, and why its mails always go out, if they do."""

    title: str
    reason: str | None = None


KINDS_OF: Mapping[KindGroup, tuple[MessageKind, ...]] = {
    KindGroup.MEMBERSHIP: (
        MessageKind.ADDED,
        MessageKind.ROLE_CHANGED,
        MessageKind.OVERRIDE_SET,
        MessageKind.OVERRIDE_REMOVED,
        MessageKind.RESOURCES_GIVEN,
        MessageKind.MEMBERSHIP_END,
        MessageKind.RESUMED,
        MessageKind.ACCESS_RESTORED,
    ),
    KindGroup.PEOPLE: (
        MessageKind.INVITATION_ACCEPTED,
        MessageKind.INVITATION_DECLINED,
        MessageKind.INVITATION_PASSED,
        MessageKind.INVITATION_BOUNCED,
        MessageKind.JOIN_REFUSED,
        MessageKind.MEMBER_LEFT,
    ),
    KindGroup.OWNERSHIP: (
        MessageKind.OWNERSHIP_DECLINED,
        MessageKind.OWNERSHIP_CANCELLED,
        MessageKind.OWNERSHIP_OFFER_ENDED,
    ),
    KindGroup.ACCOUNTS: (
        MessageKind.AUDIT_CHECKPOINT,
        MessageKind.ACCOUNT_MOVED,
        MessageKind.ACCOUNT_RESUMED,
        MessageKind.ACCOUNT_RESTORED,
    ),
    KindGroup.TOKENS: (MessageKind.TOKEN_EXPIRY,),
    KindGroup.SIGN_IN: (
        MessageKind.ACCOUNT_EXISTS,
        MessageKind.PASSWORD_CHANGED,
        MessageKind.EMAIL_CHANGE_REQUESTED,
        MessageKind.EMAIL_WANTED,
        MessageKind.EMAIL_CHANGED,
        MessageKind.EMAIL_RESTORED,
        MessageKind.SECOND_FACTOR_ADDED,
        MessageKind.SECOND_FACTOR_REMOVED,
        MessageKind.RECOVERY_CODES_REPLACED,
        MessageKind.RECOVERY_CODE_USED,
        MessageKind.PASSKEY_COPY_SUSPECTED,
        MessageKind.TOKEN_CREATED,
        MessageKind.IDENTITY_LINKED,
        MessageKind.IDENTITY_UNLINKED,
        MessageKind.SSO_CONNECTION,
        MessageKind.SIGNED_OUT,
        MessageKind.NEW_DEVICE,
        MessageKind.USER_DISABLED,
        MessageKind.USER_ENABLED,
    ),
    KindGroup.ENDINGS: (
        MessageKind.REMOVED,
        MessageKind.SUSPENDED,
        MessageKind.ACCESS_ENDED,
        MessageKind.ACCOUNT_SUSPENDED,
        MessageKind.ACCOUNT_DELETED,
        MessageKind.OWNERSHIP_TRANSFERRED,
        MessageKind.USER_ERASED,
        MessageKind.WEBHOOK_DISABLED,
        MessageKind.AUDIT_RETENTION,
        MessageKind.LOG_STREAM_PAUSED,
    ),
    KindGroup.ANSWERS: (
        MessageKind.INVITATION,
        MessageKind.OWNERSHIP_OFFERED,
        MessageKind.SECOND_FACTOR_DEMANDED,
        MessageKind.VERIFY_EMAIL,
        MessageKind.EMAIL_CHANGE,
        MessageKind.PASSWORD_RESET,
    ),
}
"""Each kind but the digest is in one group. In a group all mails can be switched off, or none."""

GROUP_TEXTS: Mapping[Locale, Mapping[KindGroup, GroupText]] = {
    Locale.EN: {
        KindGroup.MEMBERSHIP: GroupText("Your role and your permissions"),
        KindGroup.PEOPLE: GroupText("Your invitations, and members who leave"),
        KindGroup.OWNERSHIP: GroupText("Answers to an offer of ownership"),
        KindGroup.ACCOUNTS: GroupText("Accounts that moved or were restored"),
        KindGroup.TOKENS: GroupText("API tokens that end soon"),
        KindGroup.SIGN_IN: GroupText(
            "Security of your sign-in", "So that you notice when another person signs in as you."
        ),
        KindGroup.ENDINGS: GroupText(
            "The end of an access", "So that you know at once what you can no longer use."
        ),
        KindGroup.ANSWERS: GroupText(
            "Mails that you asked for, or that wait for your answer",
            "Without them the request could not go on.",
        ),
    },
    Locale.DE: {
        KindGroup.MEMBERSHIP: GroupText("Ihre Rolle und Ihre Berechtigungen"),
        KindGroup.PEOPLE: GroupText("Ihre Einladungen, und Mitglieder, die austreten"),
        KindGroup.OWNERSHIP: GroupText("Antworten auf das Angebot, ein Team zu übergeben"),
        KindGroup.ACCOUNTS: GroupText("Konten, die umgestellt oder wiederhergestellt wurden"),
        KindGroup.TOKENS: GroupText("API-Tokens, die bald ablaufen"),
        KindGroup.SIGN_IN: GroupText(
            "Sicherheit Ihrer Anmeldung",
            "Damit Sie merken, wenn sich eine andere Person als Sie anmeldet.",
        ),
        KindGroup.ENDINGS: GroupText(
            "Das Ende eines Zugangs", "Damit Sie sofort wissen, was Sie nicht mehr nutzen können."
        ),
        KindGroup.ANSWERS: GroupText(
            "E-Mails, die Sie angefordert haben oder die auf Ihre Antwort warten",
            "Ohne sie ginge der Vorgang nicht weiter.",
        ),
    },
}

KIND_TITLES: Mapping[Locale, Mapping[MessageKind, str]] = {
    Locale.EN: {
        MessageKind.ADDED: "You were added to a team",
        MessageKind.ROLE_CHANGED: "Your role changed",
        MessageKind.OVERRIDE_SET: "Your own permissions changed",
        MessageKind.OVERRIDE_REMOVED: "Your own permissions were removed",
        MessageKind.RESOURCES_GIVEN: "You were given resources",
        MessageKind.MEMBERSHIP_END: "Your membership has an end",
        MessageKind.RESUMED: "Your suspended access was restored",
        MessageKind.ACCESS_RESTORED: "Your access to an account was restored",
        MessageKind.INVITATION_ACCEPTED: "Your invitation was accepted",
        MessageKind.INVITATION_DECLINED: "Your invitation was declined",
        MessageKind.INVITATION_PASSED: "Another member's invitation is now yours",
        MessageKind.INVITATION_BOUNCED: "Your invitation could not be delivered",
        MessageKind.JOIN_REFUSED: "A join through a company sign-in was refused",
        MessageKind.MEMBER_LEFT: "A member left your team",
        MessageKind.OWNERSHIP_DECLINED: "Your offer of ownership was declined",
        MessageKind.OWNERSHIP_CANCELLED: "An offer of ownership was withdrawn",
        MessageKind.OWNERSHIP_OFFER_ENDED: "An offer of ownership has ended",
        MessageKind.AUDIT_CHECKPOINT: "The daily checkpoint of an audit log",
        MessageKind.ACCOUNT_MOVED: "An account has other roles and permissions",
        MessageKind.ACCOUNT_RESUMED: "A suspended account works again",
        MessageKind.ACCOUNT_RESTORED: "A deleted account was restored",
        MessageKind.TOKEN_EXPIRY: "An API token of yours ends soon",
    },
    Locale.DE: {
        MessageKind.ADDED: "Sie wurden in ein Team aufgenommen",
        MessageKind.ROLE_CHANGED: "Ihre Rolle hat sich geändert",
        MessageKind.OVERRIDE_SET: "Ihre eigenen Berechtigungen haben sich geändert",
        MessageKind.OVERRIDE_REMOVED: "Ihre eigenen Berechtigungen wurden entfernt",
        MessageKind.RESOURCES_GIVEN: "Sie haben Ressourcen erhalten",
        MessageKind.MEMBERSHIP_END: "Ihre Mitgliedschaft hat ein Ende",
        MessageKind.RESUMED: "Ihr gesperrter Zugang gilt wieder",
        MessageKind.ACCESS_RESTORED: "Ihr Zugang zu einem Konto gilt wieder",
        MessageKind.INVITATION_ACCEPTED: "Ihre Einladung wurde angenommen",
        MessageKind.INVITATION_DECLINED: "Ihre Einladung wurde abgelehnt",
        MessageKind.INVITATION_PASSED: "Die Einladung eines anderen Mitglieds ist jetzt Ihre",
        MessageKind.INVITATION_BOUNCED: "Ihre Einladung konnte nicht zugestellt werden",
        MessageKind.JOIN_REFUSED: "Ein Beitritt über die Unternehmensanmeldung wurde abgelehnt",
        MessageKind.MEMBER_LEFT: "Ein Mitglied hat Ihr Team verlassen",
        MessageKind.OWNERSHIP_DECLINED: "Ihr Angebot, ein Team zu übergeben, wurde abgelehnt",
        MessageKind.OWNERSHIP_CANCELLED: "Das Angebot, ein Team zu übergeben, wurde zurückgezogen",
        MessageKind.OWNERSHIP_OFFER_ENDED: "Das Angebot, ein Team zu übergeben, ist beendet",
        MessageKind.AUDIT_CHECKPOINT: "Der tägliche Prüfpunkt eines Audit-Protokolls",
        MessageKind.ACCOUNT_MOVED: "In einem Konto gelten andere Rollen und Berechtigungen",
        MessageKind.ACCOUNT_RESUMED: "Ein gesperrtes Konto ist wieder nutzbar",
        MessageKind.ACCOUNT_RESTORED: "Ein gelöschtes Konto wurde wiederhergestellt",
        MessageKind.TOKEN_EXPIRY: "Ein API-Token von Ihnen läuft bald ab",
    },
}
"""What happened, of each kind whose mails can be switched off."""


def is_optional(group: KindGroup) -> bool:
    """Whether the mails of a group can be switched off."""
    return OPTIONAL_KINDS.issuperset(KINDS_OF[group])
