"""The parts of Rolecall that a provider's catalog may leave out."""

from shared.problems import Refusal, RefusalKind


class NotInThisCatalog(Refusal):
    """The provider's catalog leaves this part of Rolecall out."""

    kind = RefusalKind.NOT_FOUND
    code = "not-in-this-catalog"
    detail = "The catalog of this account does not offer {part}. {instead}"

    def __init__(self, part: str, instead: str) -> None:
        super().__init__(part=part, instead=instead)
        self.members = {"part": part}
