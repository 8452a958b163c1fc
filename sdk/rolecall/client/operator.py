"""Requests of the operator of a platform to the internal port of a service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from rolecall.client.transport import HttpAnswer, UnreachableError, is_http_address, send

EFFECTIVE_LATER = 202
"""The status of a change that a replica may not have yet."""


class AdminError(Exception):
    """The service did not do what was asked.

    `unreachable`: the service gave no usable answer, and another attempt may help. `faults` are
    those of the input: a JSON pointer and a message each.
    """

    def __init__(
        self,
        message: str,
        *,
        unreachable: bool = False,
        faults: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.unreachable = unreachable
        self.faults = faults


@dataclass(frozen=True, slots=True)
class OperatorRequests:
    """Sends requests to `<url>/internal/admin`; `name` stands in the audit log beside the key's id.

    `service` has that internal port; another one refuses the request. `timeout` in seconds.
    """

    url: str
    key: str
    service: str
    name: str | None = None
    timeout: float = 10.0

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        about: str | None = None,
    ) -> HttpAnswer:
        """Send one request, and return the answer unless it is a refusal.

        `about` is what the service may not have, in words such as "user usr_1".

        Raises:
            AdminError: the service refused, or could not be asked.
        """
        if not is_http_address(self.url):
            raise AdminError(f"{self.url!r} is not an http or https address.", unreachable=True)
        sent = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Rolecall-Service": self.service,
        }
        if self.name is not None:
            sent["Rolecall-Operator"] = quote(self.name, safe="")
        try:
            answer = send(
                method,
                f"{self.url.rstrip('/')}/internal/admin/{path}",
                body=self._content(method, body),
                headers={**sent, **(headers or {})},
                timeout=self.timeout,
            )
        except UnreachableError as error:
            raise AdminError(str(error), unreachable=True) from error
        if answer.status == 404 and about is not None and _is_problem(answer.content):
            raise AdminError(
                f"There is no {about} at {self.url}. Check the id or the address of it, and that"
                f" this is the internal address of {self.service}."
            )
        if answer.status == 404:
            said = answer.refusal().rstrip(".")
            raise AdminError(
                f"{said}. Check the id. Pass the internal address of {self.service};"
                f" {self.url} has no /internal/admin/{path}."
            )
        if answer.status >= 300:
            raise AdminError(
                answer.refusal(), unreachable=answer.status >= 500, faults=faults_of(answer.content)
            )
        return answer

    @staticmethod
    def _content(method: str, body: Mapping[str, Any] | None) -> bytes | None:
        if body is not None:
            return json.dumps(body).encode()
        return b"" if method == "POST" else None


def _is_problem(content: object) -> bool:
    """Whether a service refused, and not something else at its address."""
    return isinstance(content, dict) and content.get("code") == "not-found"


def faults_of(problem: object) -> tuple[tuple[str, str], ...]:
    """The faults that a problem document lists (RFC 9457)."""
    listed = problem.get("errors") if isinstance(problem, dict) else None
    return tuple(
        (fault["pointer"], fault["message"])
        for fault in (listed if isinstance(listed, list) else ())
        if isinstance(fault, dict) and {"pointer", "message"} <= fault.keys()
    )


def unexpected_answer(url: str, wanted: str, *, service: str) -> AdminError:
    """The error for an answer of another form than the service gives."""
    return AdminError(
        f"{url} did not answer with {wanted}. Check that this is {service}'s internal address.",
        unreachable=True,
    )
