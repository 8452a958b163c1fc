"use strict";

// Verifies a whole file, line by line, with what proof.js knows (see sdk/rolecall/audit/exports.py).
(() => {
  const { NotByBrowser, bytes, equal, isObject, isOfText, isSigned, isText, leafOf, readLine, rootOf, tell } =
    sealedLog;

  const MAX_FILE = 200_000_000;

  const isBefore = (one, other) => {
    const [at] = [0, 1, 2].filter((place) => one[place] !== other[place]);
    return at !== undefined && one[at] < other[at];
  };

  // What a record that audit itself made says that it did with others; nothing else is told by it.
  const toldBy = (record, action) => {
    const tells = record.action === action && (record.reported_by ?? null) === null;
    return (tells && record.position.source === "audit" && record.after) || {};
  };

  const addTold = (record, found) => {
    const { until, days } = toldBy(record, "records.ended");
    if (Number.isInteger(until) && until > found.until) {
      [found.until, found.days] = [until, Number.isInteger(days) ? days : null];
    }
    const { records } = toldBy(record, "records.erased");
    if (Number.isInteger(records) && records > 0) found.toldErased += records;
    if (Object.keys(record.seal.erased ?? {}).length > 0) found.erased += 1;
  };

  const isProved = async (seal, leaf, head, root) => {
    if (!Number.isInteger(seal.index) || !Array.isArray(seal.proof)) return false;
    const found = leaf && (await rootOf(leaf, seal.index, head.size, seal.proof.map(bytes)));
    return found !== null && equal(found, root);
  };

  const hasOnly = (object, names) => Object.keys(object).every((name) => names.includes(name));
  const OF_SEAL = ["index", "salts", "erased", "proof"];
  const OF_HASH = ["index", "leaf", "proof"];

  // Adds what a line says to what was found; false: it is not what was sealed.
  const addLine = async (text, found, head, root) => {
    const { type, ...record } = readLine(text);
    if (found.ended || found.stopped) return false;
    if (type === "end") {
      found.ended = true;
      return record.records === found.records + found.newer;
    }
    if (type === "stopped") return (found.stopped = true);
    const seal = record.seal;
    if (type === "hash") {
      if (!hasOnly(record, ["seal"]) || !hasOnly(seal, OF_HASH)) return false;
      const leaf = bytes(seal.leaf);
      if (leaf.length !== 32 || !(await isProved(seal, leaf, head, root))) return false;
    } else if (type === "record") {
      const place = [record.occurred_at, record.position.seq, record.id];
      if (!isText(place[0]) || !Number.isInteger(place[1]) || !isText(place[2])) return false;
      if (head.order !== "place" && found.last && isBefore(place, found.last)) return false;
      found.last = place;
      if (seal === null) return (found.newer += 1) > 0;
      if (!hasOnly(seal, OF_SEAL) || !(await isProved(seal, await leafOf(record), head, root))) return false;
      addTold(record, found);
      found.records += 1;
    } else return false;
    const places = type === "hash" ? found.hashes : found.kept;
    if (found.hashes.has(seal.index) || found.kept.has(seal.index)) return false;
    return places.add(seal.index).size > 0;
  };

  // A file without filters has every record; those of which the hash is left are the oldest ones.
  const isWhole = (found, head) => {
    const gone = found.hashes.size;
    const oldest = [...found.hashes].every((index) => index < gone);
    return found.kept.size + gone === head.size && oldest && gone <= found.until;
  };

  // Another file says nothing about the log: as the command says it (see is_of_an_export).
  const OF_AN_EXPORT = /^[\ufeff \t]*\{.*("type"\s*:\s*"(export|record|hash|end|stopped)"|"seal"\s*:)/s;

  const isHead = (head) => {
    const texts = [head.account_id, head.complete_until ?? ""].every(isText);
    return head.type === "export" && "filters" in head && "after" in head && texts;
  };

  // What the command finds, by its names (`Verified`).
  const verdictOf = (found, complete) => ({
    records: found.records + found.hashes.size,
    erased: found.erased,
    untold: complete ? Math.max(0, found.erased - found.toldErased) : 0,
    byRetention: found.hashes.size,
    days: found.hashes.size ? found.days : null,
    unsealed: found.newer,
    complete,
    ended: found.ended,
  });

  const verifiedFile = async (text, keys) => {
    if (!globalThis.crypto?.subtle) throw new NotByBrowser();
    const lines = text.split("\n");
    if (!OF_AN_EXPORT.test(lines[0])) return { foreign: true };
    if (lines.at(-1) === "") lines.pop();
    const found = { records: 0, erased: 0, toldErased: 0, newer: 0, ended: false, until: 0, days: null };
    Object.assign(found, { kept: new Set(), hashes: new Set() });
    const bad = (line) => ({ bad: line });
    let number = 1;
    try {
      const head = readLine(lines[0]);
      const [origin, size, root] = head.checkpoint.split("\n");
      const signed = await Promise.all(keys.split("\n").map((key) => isSigned(head.checkpoint, key)));
      if (!isHead(head) || Number(size) !== head.size || !signed.includes(true)) return bad(1);
      if (origin.slice(origin.lastIndexOf("/") + 1) !== head.account_id) return bad(1);
      for (number = 2; number <= lines.length; number += 1) {
        if (!(await addLine(lines[number - 1], found, head, bytes(root)))) return bad(number);
      }
      const complete = isObject(head.filters) && hasOnly(head.filters, []) && head.after === null;
      return complete && !isWhole(found, head) ? bad(number) : verdictOf(found, complete);
    } catch (fault) {
      if (isOfText(fault)) return bad(number);
      throw fault;
    }
  };

  // The sentences for a verdict: each of its members has one, as in the command.
  const sentences = ({ records, erased, untold, byRetention, days, unsealed, complete, ended }) => {
    const isWhole = ended && !unsealed;
    return [
      [complete ? (isWhole ? "good" : "sealed") : "some", records],
      erased && ["erased", erased],
      erased && complete && (untold ? ["untold", untold] : ["told"]),
      byRetention && !complete && ["hashes", byRetention],
      byRetention && complete && (days === null ? ["ended", byRetention] : ["days", byRetention, days]),
      unsealed && ["newer", unsealed],
      !ended && ["cut"],
    ].filter(Boolean);
  };

  const isGood = ({ erased, unsealed, complete, ended }) => complete && ended && !erased && !unsealed;

  const box = document.getElementById("verify");
  if (box) {
    const note = box.querySelector("[role=status]");
    const inWords = ([name, ...numbers]) =>
      numbers.reduce((text, one) => text.replace("#", one), box.dataset[name]);
    const say = (kind, ...told) => tell(note, told.map(inWords).join(" "), kind);
    box.querySelector("input").addEventListener("change", async (event) => {
      const [file] = event.target.files;
      if (!file) return;
      note.hidden = false;
      say("", ["busy"]);
      try {
        if (file.size > MAX_FILE) throw new NotByBrowser();
        // A mark of the order of bytes stays: it is not part of an export.
        const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await file.arrayBuffer());
        const found = await verifiedFile(text, box.dataset.keys);
        if (found.foreign) say("warn", ["foreign"]);
        else if (found.bad) say("bad", ["bad", found.bad]);
        else say(isGood(found) ? "good" : "warn", ...sentences(found));
      } catch {
        say("warn", ["unable"]);
      }
    });
    box.hidden = false;
  }
})();
