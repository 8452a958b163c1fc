"""Names that members give to what they make keep the rule of names, in each service."""

import pytest
from pydantic import ValidationError

from services.audit.routes.saved_searches import ChangeSavedSearch, NewSavedSearch
from services.audit.routes.streams import ChangeStream, NewStream
from services.notification.routes.webhooks import ChangeWebhook, NewWebhook
from shared.http.routes import Body

RECEIVER: dict[str, object] = {"url": "https://hooks.acme.example", "secret": "x"}
NAMED: list[tuple[type[Body], dict[str, object], str]] = [
    (NewSavedSearch, {"filters": {}}, "name"),
    (ChangeSavedSearch, {}, "name"),
    (NewStream, RECEIVER, "name"),
    (ChangeStream, {}, "name"),
    (NewWebhook, {"url": RECEIVER["url"]}, "description"),
    (ChangeWebhook, {}, "description"),
]
HIDDEN = ["a\nb", "a\tb", "a\u202eb", "a\x1b[31mb", "a\u200bb"]


@pytest.mark.rule("T13")
@pytest.mark.parametrize(("body", "rest", "field"), NAMED, ids=[n[0].__name__ for n in NAMED])
def test_a_typed_name_has_no_hidden_character_and_is_kept_on_one_line(
    body: type[Body], rest: dict[str, object], field: str
) -> None:
    for text in HIDDEN:
        with pytest.raises(ValidationError):
            body.model_validate({**rest, field: text})
    assert getattr(body.model_validate({**rest, field: "  Mu\u0308ller   1 "}), field) == "Müller 1"


@pytest.mark.parametrize("body", [NewSavedSearch, ChangeSavedSearch])
def test_a_saved_search_needs_a_name_that_is_seen(body: type[Body]) -> None:
    for text in ("", " ", "\u00a0"):
        with pytest.raises(ValidationError):
            body.model_validate({"filters": {}, "name": text})
