"""The pages by which members take the audit log away, and prove that it is whole."""

from collections.abc import Mapping

from services.console.domain import places
from services.console.domain.log_filters import chosen, period
from services.console.domain.log_proofs import proof_of
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Download, Outcome, PageRoute
from services.console.routes.person_frame import open_user, together
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
        "account/log_export",
        section="log",
        form=form,
        filters=filters,
        sealed=sealed,
        file=_file_name(visit, filters, FORMATS[0]),
    )


def _file_name(visit: Visit, filters: Mapping[str, str], kind: str) -> str:
    return f"audit-{visit.account_id}{period(filters, visit.time_zone)}.{kind}"


async def download(visit: Visit, form: Form) -> Outcome:
    """Pass the file on, as the API writes it."""
    await open_user(visit)
    filters, named = chosen(visit.query, "UTC"), visit.query.get("format", "")
    kind = named if named in FORMATS else FORMATS[0]
    export = await visit.download(
        "GET",
        f"/v1/accounts/{visit.account_id}/audit-export",
        query={**filters, "format": kind},
    )
    return Download(export, own_name=_file_name(visit, filters, kind))


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
