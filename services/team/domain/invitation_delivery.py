"""How an invitation goes out, and when its link ends."""

from datetime import datetime, timedelta

from rolecall import Delivery, InvitationPolicy
from services.team.domain.invitation_mails import NotMailed
from shared.problems import Invalid


def delivery_of(policy: InvitationPolicy, chosen: Delivery | None) -> Delivery:
    """How the invitation goes out: as chosen, or in the catalog's first way.

    Raises:
        Invalid: the catalog does not offer the choice.
    """
    if chosen is None:
        return policy.deliveries[0]
    if chosen not in policy.deliveries:
        raise Invalid(errors=[("/delivery", f"Choose one of: {', '.join(policy.deliveries)}.")])
    return chosen


def expiry(
    policy: InvitationPolicy, now: datetime, *, at_most: datetime | None = None
) -> datetime | None:
    """When a link made now ends: not after `at_most`; `None` if it does not end.

    A lifetime that reaches beyond the calendar is one without an end.
    """
    if policy.lifetime_seconds is None:
        return at_most
    try:
        end = now + timedelta(seconds=policy.lifetime_seconds)
    except OverflowError:
        return at_most
    return end if at_most is None else min(end, at_most)


def withheld(delivery: Delivery, reason: NotMailed | None) -> NotMailed | None:
    """The reason for which the mail is withheld; an invitation that is handed over has none."""
    return reason if delivery is Delivery.EMAIL else None
