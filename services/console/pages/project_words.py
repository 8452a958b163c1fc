"""The provider's words for projects, in texts that name one."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.console.pages.page_text import PageText


class ProjectWords(NamedTuple):
    """The words for one and for several, as a text begins with them."""

    project: str = "Project"
    projects: str = "Projects"

    @classmethod
    def of(cls, account: Mapping[str, Any]) -> "ProjectWords":
        """The words of an account's catalog."""
        words = (str(account.get(name, "")) for name in ("project_word", "projects_word"))
        return cls(*(word[:1].upper() + word[1:] for word in words))

    def fill(self, text: PageText, language: str) -> str:
        """A text in a language, with the words in it."""
        return text.filled(project=self.project, projects=self.projects).of(language)
