"""Operations on guardrails."""

from __future__ import annotations

from typing import Any

from tests.state_machine.accounts import Account, Guardrail
from tests.state_machine.guardrails import violations
from tests.state_machine.world import GUARDRAIL_LIMIT, Answer, Operation, World


class GuardrailOperations(World):
    """Operations on guardrails."""

    def create_guardrail(self, account_id: str, actor: str, rule: Guardrail) -> Operation:
        """Declare a rule; what contradicts it already stays."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("guardrail", "manage")) or set()
        if not refusals and len(account.guardrails) >= GUARDRAIL_LIMIT:
            refusals = {"guardrail-limit"}
        present = violations(rule, account, self.now)

        def effect(account: Account, answer: Answer) -> None:
            account.guardrails[answer["id"]] = rule

        def check(answer: Answer) -> None:
            shown = {(one["user_id"], one["project_id"]) for one in answer["violations"]}
            assert shown == set(present), (rule, shown, present)

        body: dict[str, Any] = {"type": rule.kind}
        if rule.kind == "only_roles":
            body["roles"] = list(rule.roles)
        elif rule.roles:
            body["role"] = rule.roles[0]
        if rule.kind == "minimum_holders":
            body["minimum"] = rule.minimum
        if rule.cell is not None:
            body["permission"] = ":".join(rule.cell)
        if rule.project is not None:
            body["project_id"] = rule.project
        return self.account_operation(
            account_id,
            actor,
            "POST",
            "/guardrails",
            {"name": "Rule", "rule": body},
            refusals,
            effect,
            check=check,
        )

    def delete_guardrail(self, account_id: str, actor: str, guardrail: str) -> Operation:
        """Give a rule up."""
        refusals = self.authorized(account_id, actor, ("guardrail", "manage")) or set()

        def effect(account: Account, answer: Answer) -> None:
            del account.guardrails[guardrail]

        rest = f"/guardrails/{guardrail}"
        return self.account_operation(account_id, actor, "DELETE", rest, None, refusals, effect)
