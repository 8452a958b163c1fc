"""Batches of evaluations about accounts of several groups of replicas."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from services.authz.adapters.group_calls import GroupCalls
from services.authz.domain.batches import Semantic
from services.authz.domain.evaluations import EvaluationRequest
from services.authz.domain.groups import AccountGroups
from services.authz.routes.evaluation import bearer_of
from services.authz.routes.evaluations import answers_text
from services.authz.use_cases import evaluations
from services.authz.use_cases.asked_checks import account_of
from services.authz.use_cases.context import Ctx
from shared.http.problem_responses import END_OF_LINE
from shared.http.routes import Call, Reply
from shared.problems import Refusal, Unavailable

ANSWER_OK = 200


class _Refused(Exception):  # noqa: N818 - the answer of a group is the answer of the batch
    """A group did not answer its part with decisions."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"status {reply.status}")
        self.reply = reply


class DividedBatch:
    """One request with evaluations of several groups; each of them answers its own."""

    def __init__(
        self,
        ctx: Ctx,
        call: Call[Any, Any],
        asked: Sequence[EvaluationRequest | Refusal],
        groups: AccountGroups,
        calls: GroupCalls,
    ) -> None:
        self._ctx = ctx
        self._call = call
        self._asked = asked
        self._groups = groups
        self._calls = calls
        self._owners = [self._group(each) for each in asked]

    async def answer(self, semantic: Semantic) -> Reply:
        """Evaluate the parts, at once if all are to be evaluated, and put them together in order.

        The first refusal of a part is the answer to all.

        Raises:
            Stale, TokenRevoked, ScopeMissing, BadRequest: as for a batch of one group.
        """
        try:
            if semantic is Semantic.EXECUTE_ALL:
                found = await self._all()
            else:
                found = await self._in_order(semantic)
        except _Refused as refused:
            return refused.reply
        text = json.dumps({"evaluations": found}, separators=(",", ":"), ensure_ascii=False)
        return Reply(body=text.encode() + END_OF_LINE)

    async def _all(self) -> list[Any]:
        parts: dict[int, list[int]] = {}
        for place, group in enumerate(self._owners):
            parts.setdefault(group, []).append(place)
        asking = (self._part(*part, Semantic.EXECUTE_ALL) for part in parts.items())
        answers = await asyncio.gather(*asking, return_exceptions=True)
        found: list[Any] = [None] * len(self._owners)
        for places, answer in zip(parts.values(), answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            if len(answer) != len(places):
                raise Unavailable
            for place, one in zip(places, answer, strict=True):
                found[place] = one
        return found

    async def _in_order(self, semantic: Semantic) -> list[Any]:
        """Ask one group after the other, as far as the semantic goes."""
        found: list[Any] = []
        for group, places in self._runs():
            found += await self._part(group, places, semantic)
            if not found or semantic.ends_after(allowed=found[-1]["decision"]):
                break
        return found

    def _runs(self) -> Iterator[tuple[int, list[int]]]:
        for group, places in groupby(range(len(self._owners)), self._owners.__getitem__):
            yield group, list(places)

    async def _part(self, group: int, places: Sequence[int], semantic: Semantic) -> list[Any]:
        """What the group says about these evaluations, as JSON has it."""
        if group == self._groups.number:
            asked = [self._asked[place] for place in places]
            results = await evaluations.evaluate_each(
                self._ctx, bearer_of(self._call), asked, semantic=semantic
            )
            text: Any = answers_text(results)
        else:
            reply = await self._calls.send_on(self._call, group, body=self._body(places, semantic))
            if reply.status != ANSWER_OK or not isinstance(reply.body, bytes):
                raise _Refused(reply)
            text = reply.body
        answer: list[Any] = json.loads(text)["evaluations"]
        return answer

    def _body(self, places: Sequence[int], semantic: Semantic) -> bytes:
        """The request with these evaluations alone, each with the defaults of all."""
        sent = json.loads(self._call.raw)
        part = [sent["evaluations"][place] for place in places]
        options = {**(sent.get("options") or {}), "evaluations_semantic": semantic}
        return json.dumps({**sent, "evaluations": part, "options": options}).encode()

    def _group(self, request: EvaluationRequest | Refusal) -> int:
        """The group of an evaluation; without an account, or refused, it is answered here."""
        if isinstance(request, Refusal):
            return self._groups.number
        try:
            account_id = account_of(self._ctx, bearer_of(self._call), request)
        except Refusal:
            return self._groups.number
        return self._groups.number if account_id is None else self._groups.group_of(account_id)
