"use strict";

// Checks by WebCrypto that a record is under a signed checkpoint, as `rolecall audit verify` does.
(() => {
  const utf8 = new TextEncoder();
  const bytes = (text) => {
    const data = atob(text);
    if (btoa(data) !== text) throw new SyntaxError("not the one form of base64");
    return Uint8Array.from(data, (one) => one.charCodeAt(0));
  };
  const joined = (...parts) => {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  };
  const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const hex = (data) => Array.from(data, (one) => one.toString(16).padStart(2, "0")).join("");
  const equal = (one, other) => hex(one) === hex(other);
  const isText = (value) => typeof value === "string";
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

  // The canonical form of RFC 8785; an object is a list of its members here.
  const canonical = (value) => {
    if (value instanceof Map) {
      const members = [...value].sort(([one], [other]) => (one < other ? -1 : 1));
      return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(",")}}`;
    }
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (isObject(value)) return canonical(new Map(Object.entries(value)));
    return JSON.stringify(value);
  };

  // --- the leaf: commitments in the place of personal values (see sdk/rolecall/audit/sealed.py)
  const INSIDE = { actor: ["name", "email"], resource: ["name"] };
  const AT_TOP = ["ip", "user_agent", "reason"];
  const OBJECTS = ["before", "after"];

  const personalValues = (record) => {
    const found = new Map();
    const add = (path, value) => {
      if (value !== null && value !== undefined) found.set(path, value);
    };
    for (const [outer, members] of Object.entries(INSIDE)) {
      for (const member of members) add(`${outer}.${member}`, record[outer]?.[member]);
    }
    for (const name of AT_TOP) add(name, record[name]);
    for (const name of OBJECTS) {
      for (const [member, value] of Object.entries(record[name] ?? {})) found.set(`${name}.${member}`, value);
    }
    return found;
  };

  const withoutPersonal = (record) => {
    const kept = new Map();
    for (const [name, value] of Object.entries(record)) {
      if (name === "seal" || value === null || AT_TOP.includes(name)) continue;
      if (OBJECTS.includes(name)) kept.set(name, new Map());
      else if (isObject(value)) {
        const inner = INSIDE[name] ?? [];
        kept.set(name, new Map(Object.entries(value).filter(([member, each]) => each !== null && !inner.includes(member))));
      } else kept.set(name, value);
    }
    return kept;
  };

  const leafOf = async (record) => {
    const { salts: given, erased = {} } = record.seal;
    const objects = [given, erased, ...OBJECTS.map((name) => record[name] ?? {})];
    if (!objects.every(isObject) || !Object.values(erased).every(isText)) return null;
    const salts = new Map(Object.entries(given));
    const committed = new Map(Object.entries(erased));
    const values = personalValues(record);
    if (values.size !== salts.size) return null;
    for (const [path, value] of values) {
      if (!salts.has(path) || committed.has(path)) return null;
      const salt = bytes(salts.get(path));
      if (salt.length !== 16) return null;
      committed.set(path, hex(await sha256(joined(salt, utf8.encode(canonical(value))))));
    }
    const leaf = new Map([["commitments", committed], ["record", withoutPersonal(record)]]);
    return sha256(joined(Uint8Array.of(0), utf8.encode(canonical(leaf))));
  };

  // --- the way to the root (RFC 9162, 2.1.3.2)
  const rootOf = async (leaf, index, size, way) => {
    if (!(index >= 0 && index < size)) return null;
    let [at, last, found] = [index, size - 1, leaf];
    for (const beside of way) {
      if (last === 0) return null;
      if (at % 2 === 1 || at === last) {
        found = await sha256(joined(Uint8Array.of(1), beside, found));
        while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
      } else {
        found = await sha256(joined(Uint8Array.of(1), found, beside));
      }
      [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    }
    return last === 0 ? found : null;
  };

  // --- the checkpoint (C2SP signed-note, tlog-checkpoint; see sdk/rolecall/audit/notes.py)
  const MAX_NOTE = 65_536;
  const MAX_SIGNATURES = 100;
  const SIGNATURE = /^\u2014 ([^\s+\x00-\x1f\x85]+) ([A-Za-z0-9+/]+=*)$/;

  const isCheckpoint = (text, name) => {
    const [origin, size, root, ...more] = text.split("\n");
    const isForm = origin === name && /^(0|[1-9]\d{0,18})$/.test(size) && bytes(root).length === 32;
    return isForm && more.pop() === "" && !more.includes("") && !/[\x00-\x09\x0b-\x1f]/.test(text);
  };

  // Each line of the signatures is read: one that is malformed makes another note of it.
  const isSigned = async (note, verifier) => {
    const name = verifier.slice(0, verifier.indexOf("+"));
    const key = bytes(verifier.slice(verifier.indexOf("+", name.length + 1) + 1));
    const id = (await sha256(joined(utf8.encode(`${name}\n`), key))).slice(0, 4);
    const gap = note.lastIndexOf("\n\n");
    const text = note.slice(0, gap + 1);
    const lines = note.slice(gap + 2).split("\n");
    if (gap < 0 || key.length !== 33 || key[0] !== 1 || !isCheckpoint(text, name)) return false;
    if (note.length > MAX_NOTE || lines.pop() !== "" || lines.length > MAX_SIGNATURES) return false;
    const known = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]);
    let found = false;
    for (const line of lines) {
      const match = SIGNATURE.exec(line);
      if (!match) return false;
      const data = bytes(match[2]);
      if (match[1] !== name || !equal(data.slice(0, 4), id)) continue;
      found = await crypto.subtle.verify("Ed25519", known, data.slice(4), utf8.encode(text));
      if (!found) return false;
    }
    return found;
  };

  // --- a line of JSON, as the command reads it: what JSON.parse takes or rounds beyond that is found
  class NotByBrowser extends Error {}

  const MAX_LINE = 1_000_000;
  const MAX_DEPTH = 100;
  const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]|-?\d[\d.eE+-]*/g;
  const COUNTED = ["until", "days", "records"];

  // A number that JavaScript rounds has another hash here than in the log; 1.0 is no number of records.
  const requireExact = (token, [outer, inner]) => {
    const value = Number(token);
    if (!Number.isFinite(value)) throw new SyntaxError("not a number of JSON");
    const isWhole = /^-?\d+$/.test(token);
    const isAny = OBJECTS.includes(outer) && !COUNTED.includes(inner);
    if (isWhole ? !Number.isSafeInteger(value) : Number.isInteger(value) && !isAny) throw new NotByBrowser();
  };

  const requireStrict = (text) => {
    const open = [];
    for (const [token] of text.matchAll(TOKENS)) {
      const inside = open.at(-1);
      if (token === "{") open.push({ names: new Set(), name: null });
      else if (token === "[") open.push(null);
      else if (token === "}" || token === "]") open.pop();
      else if (inside && token === ",") inside.name = null;
      else if (inside && inside.name === null) {
        inside.name = JSON.parse(token);
        if (inside.names.has(inside.name)) throw new SyntaxError("a member is there twice");
        inside.names.add(inside.name);
      } else if (!/^[",]/.test(token)) requireExact(token, open.map((one) => one?.name));
      if (open.length > MAX_DEPTH) throw new NotByBrowser();
    }
  };

  const readLine = (text) => {
    if (text.length > MAX_LINE) throw new NotByBrowser();
    const told = JSON.parse(text);
    if (!isObject(told)) throw new SyntaxError("not a line of an export");
    requireStrict(text);
    return told;
  };

  const isOfText = (fault) =>
    fault instanceof TypeError || fault instanceof SyntaxError || fault.name === "InvalidCharacterError";

  const verified = async ({ line, way, checkpoint, keys }) => {
    if (!globalThis.crypto?.subtle) throw new NotByBrowser();
    try {
      const record = readLine(line);
      const [, size, root] = checkpoint.split("\n");
      const signed = await Promise.all(keys.split("\n").map((key) => isSigned(checkpoint, key)));
      if (!signed.includes(true)) return false;
      const leaf = await leafOf(record);
      const beside = way.split("\n").filter(Boolean).map(bytes);
      const found = leaf && (await rootOf(leaf, record.seal.index, Number(size), beside));
      return found !== null && equal(found, bytes(root));
    } catch (fault) {
      if (isOfText(fault)) return false;
      throw fault;
    }
  };

  const proof = document.getElementById("proof");

  const tell = (place, text, kind) => {
    place.firstElementChild.textContent = text;
    place.className = `note ${kind}`;
  };

  // Without WebCrypto or Ed25519, what the page says already stays.
  if (proof) {
    verified(proof.dataset).then(
      (good) => (good ? tell(proof, proof.dataset.good, "good") : tell(proof, proof.dataset.bad, "bad")),
      () => {},
    );
  }

  // --- a whole file, line by line (see sdk/rolecall/audit/exports.py)
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
        if (found.bad) say("bad", ["bad", found.bad]);
        else say(isGood(found) ? "good" : "warn", ...sentences(found));
      } catch {
        say("warn", ["unable"]);
      }
    });
    box.hidden = false;
  }
})();
