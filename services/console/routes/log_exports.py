"""The pages by which members take the audit log away, and prove that it is whole."""

from services.console.domain import places
from services.console.domain.log_filters import chosen
from services.console.domain.log_proofs import proof_of
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Download, Outcome, PageRoute
from services.console.routes.person_frame import together
from services.console.routes.visits import Visit

FORMATS = ("jsonl", "csv")


async def show(visit: Visit, form: Form) -> Outcome:
    """Offer the records that the filters take as files, and say how to verify one."""
    frame: AccountFrame
    frame, sealed = await together(
        open_account(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/audit-checkpoint"),
    )
    filters = chosen(visit.query, visit.time_zone)
    return frame.shown(
        "account/log_export", section="log", form=form, filters=filters, sealed=sealed
    )


async def download(visit: Visit, form: Form) -> Outcome:
    """Pass the file on, as the API writes it."""
    kind = visit.query.get("format", "")
    query = {**chosen(visit.query, "UTC"), "format": kind if kind in FORMATS else FORMATS[0]}
    return Download(
        await visit.download("GET", f"/v1/accounts/{visit.account_id}/audit-export", query=query)
    )


async def show_seal(visit: Visit, form: Form) -> Outcome:
    """Show the newest checkpoint of the log."""
    frame: AccountFrame
    frame, sealed = await together(
        open_account(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/audit-checkpoint"),
    )
    return frame.shown("account/log_seal", section="log", form=form, sealed=sealed)


async def show_proof(visit: Visit, form: Form) -> Outcome:
    """Show the proof that a record is in the sealed log; a script checks it in the browser."""
    event_id = visit.place["event_id"]
    frame: AccountFrame
    frame, sealed = await together(
        open_account(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/audit-checkpoint"),
    )
    size = {"size": str(sealed["size"])}
    place = await visit.call(
        "GET", f"/v1/accounts/{visit.account_id}/audit-events/{event_id}/inclusion", query=size
    )
    line = None
    if place["index"] is not None:
        page = await visit.call(
            "GET",
            f"/v1/accounts/{visit.account_id}/audit-checkpoint/records",
            query={**size, "first": str(place["index"])},
        )
        line = page["items"][0]
    return frame.shown(
        "account/log_proof",
        section="log",
        form=form,
        event_id=event_id,
        sealed=sealed,
        proof=proof_of(place, line, sealed),
    )


PAGES = (
    PageRoute(path=places.LOG_EXPORT, show=show),
    PageRoute(path=places.LOG_FILE, show=download, downloads=True),
    PageRoute(path=places.LOG_SEAL, show=show_seal),
    PageRoute(path=places.LOG_PROOF, show=show_proof),
)
