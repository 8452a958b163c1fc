"""Mutants of erasure in the audit log: whose values go, and which records are believed."""

from tests.mutants.mutant import Kind, Mutant

VALUES = "services/audit/domain/personal_values.py"
PEOPLE = "services/audit/domain/erased_people.py"
RULES = "services/audit/domain/erasures.py"
ERASER = "services/audit/use_cases/erasures.py"
NOTING = "services/audit/use_cases/erased_people.py"
TESTS = ("tests/services/audit/test_erasures.py",)
TABLE = ("tests/services/audit/domain/test_erased_people.py",)

ROWS = (
    Mutant(
        id="erasure-keeps-the-salts",
        kind=Kind.SECURITY,
        file=RULES,
        old="    return structs.replace(seal, salts=salts, erased={**seal.erased, **gone})",
        new="    return structs.replace(seal, salts=seal.salts, erased={**seal.erased, **gone})",
        tests=(*TESTS, "-k", "no_value"),
    ),
    Mutant(
        id="erasure-keeps-the-digest",
        kind=Kind.SECURITY,
        file=RULES,
        old='        digest="",\n',
        new="",
        tests=TABLE,
    ),
    Mutant(
        id="erasure-does-not-wait-for-seals",
        kind=Kind.CONSISTENCY,
        file=ERASER,
        old="            if seal is None:\n                waiting.append(record.id)\n",
        new="            if seal is None:\n",
        tests=(*TESTS, "-k", "for_seals"),
    ),
    Mutant(
        id="erasure-does-not-look-again",
        kind=Kind.SECURITY,
        file=ERASER,
        old="        if scan.learned or scan.learning:\n"
        '            again = replace(scan, after="", learned=False, learning=scan.learned)\n',
        new="        if scan.learning:\n"
        '            again = replace(scan, after="", learned=False, learning=False)\n',
        tests=(*TESTS, "-k", "no_value"),
    ),
    Mutant(
        id="erasure-does-not-wait-for-transactions",
        kind=Kind.CONSISTENCY,
        file=ERASER,
        old="before=now - self._settling,",
        new="before=now,",
        tests=(*TESTS, "-k", "for_seals"),
    ),
    Mutant(
        id="late-records-keep-the-values-of-erased-people",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/ingest.py",
        old="        await self._store.add(kept, session)\n",
        new="        await self._store.add(records, session)\n",
        tests=(*TESTS, "-k", "any_order"),
    ),
    Mutant(
        id="export-shows-a-value-that-was-erased-meanwhile",
        kind=Kind.CONSISTENCY,
        file="services/audit/use_cases/exports.py",
        old='without(record, seal.get("erased", ())) if seal else record',
        new="record",
        tests=(*TESTS, "-k", "export_that_is_read"),
    ),
    Mutant(
        id="page-has-the-salts-of-a-value-that-was-erased-meanwhile",
        kind=Kind.CONSISTENCY,
        file="services/audit/use_cases/proofs.py",
        old="    if any(record.erased for record in records.values()):\n",
        new="    if not records:\n",
        tests=(*TESTS, "-k", "page_that_is_read"),
    ),
    Mutant(
        id="equivocation-keeps-its-event",
        kind=Kind.SECURITY,
        file=ERASER,
        old="        await self._erase_equivocations(people)\n",
        new="",
        tests=(*TESTS, "-k", "equivocation"),
    ),
    Mutant(
        id="erasure-is-told-twice",
        kind=Kind.CONSISTENCY,
        file="services/audit/store/erasures.py",
        old='{"$unset": {field: ""}}, session=session',
        new='{"$set": {"told": True}}, session=session',
        tests=(*TESTS, "-k", "killed or two_erasers"),
    ),
    Mutant(
        id="forged-end-is-sealed",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/sealing.py",
        old="            if await self._words.may_be_sealed(record):\n",
        new="            if record is not None:\n",
        tests=(*TESTS, "-k", "did_not_sign"),
    ),
    Mutant(
        id="end-is-believed-without-its-signature",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/own_words.py",
        old="        except (RowRefused, ValueError):\n            return False\n",
        new="        except (RowRefused, ValueError):\n            return True\n",
        tests=(*TESTS, "-k", "did_not_sign"),
    ),
    Mutant(
        id="end-is-believed-beside-another-row",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/own_words.py",
        old="        return record_of(signed.row, recorded_at=record.recorded_at) == record",
        new="        return signed is not None",
        tests=(*TESTS, "-k", "did_not_sign"),
    ),
    Mutant(
        id="erasure-takes-an-address-of-its-next-owner",
        kind=Kind.CONSISTENCY,
        file=PEOPLE,
        old="return {each for each in found if at <= self._by_id[each].at + LATE}",
        new="return set(found)",
        tests=TABLE,
    ),
    Mutant(
        id="erasure-takes-a-name-in-every-account",
        kind=Kind.CONSISTENCY,
        file=PEOPLE,
        old="for each in self._in_account.get(tree, set())]\n",
        new="for each in self._by_id]\n",
        tests=TABLE,
    ),
    Mutant(
        id="erasure-keeps-saved-searches",
        kind=Kind.SECURITY,
        file=ERASER,
        old="        await self._delete_searches(people)\n",
        new="",
        tests=(*TESTS, "-k", "saved_searches"),
    ),
    Mutant(
        id="erasure-deletes-searches-of-others",
        kind=Kind.CONSISTENCY,
        file=ERASER,
        old="if known.named_in(texts, account_id=account_id, at=search.created_at):",
        new="if texts:",
        tests=(*TESTS, "-k", "saved_searches"),
    ),
    Mutant(
        id="erasure-keeps-new-fields-of-users",
        kind=Kind.SECURITY,
        file=VALUES,
        old='    if subject is not None or record.resource.type == "sign_up":\n',
        new="    if name in KINDS and (subject or address):\n",
        tests=TABLE,
    ),
    Mutant(
        id="erasure-keeps-the-device-of-an-unknown-sender",
        kind=Kind.SECURITY,
        file=VALUES,
        old='    if acting is not None or actor.type == "anonymous":\n',
        new="    if acting is not None:\n",
        tests=TABLE,
    ),
)
