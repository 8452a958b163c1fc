"use strict";

// Checks by WebCrypto that a record is under a signed checkpoint, as `rolecall audit verify` does.
(() => {
  const utf8 = new TextEncoder();
  const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
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
    const salts = new Map(Object.entries(record.seal.salts));
    const committed = new Map(Object.entries(record.seal.erased ?? {}));
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

  // --- the checkpoint (C2SP signed-note, tlog-checkpoint)
  const isSigned = async (note, verifier) => {
    const name = verifier.slice(0, verifier.indexOf("+"));
    const key = bytes(verifier.slice(verifier.indexOf("+", name.length + 1) + 1));
    const id = (await sha256(joined(utf8.encode(`${name}\n`), key))).slice(0, 4);
    const gap = note.lastIndexOf("\n\n");
    const text = note.slice(0, gap + 1);
    if (gap < 0 || key.length !== 33 || key[0] !== 1 || text.split("\n")[0] !== name) return false;
    const known = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]);
    for (const line of note.slice(gap + 2).split("\n")) {
      const match = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+=*)$/.exec(line);
      if (match?.[1] !== name) continue;
      const data = bytes(match[2]);
      if (!equal(data.slice(0, 4), id)) continue;
      return crypto.subtle.verify("Ed25519", known, data.slice(4), utf8.encode(text));
    }
    return false;
  };

  const verified = async ({ line, way, checkpoint, keys }) => {
    const record = JSON.parse(line);
    const [, size, root] = checkpoint.split("\n");
    const signed = await Promise.all(keys.split("\n").map((key) => isSigned(checkpoint, key)));
    if (!signed.includes(true)) return false;
    const leaf = await leafOf(record);
    const beside = way.split("\n").filter(Boolean).map(bytes);
    const found = leaf && (await rootOf(leaf, record.seal.index, Number(size), beside));
    return found !== null && equal(found, bytes(root));
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

  class NotByBrowser extends Error {}

  const hasTwice = (text) => {
    const open = [];
    for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],]/g)) {
      const inside = open.at(-1);
      if (token === "{") open.push({ names: new Set(), named: false });
      else if (token === "[") open.push(null);
      else if (token === "}" || token === "]") open.pop();
      else if (inside && token === ",") inside.named = false;
      else if (inside && !inside.named) {
        const name = JSON.parse(token);
        if (inside.names.has(name)) return true;
        inside.names.add(name);
        inside.named = true;
      }
    }
    return false;
  };

  // A number that JavaScript rounds has another hash here than in the log.
  const requireExact = (value) => {
    if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new NotByBrowser();
    if (value !== null && typeof value === "object") Object.values(value).forEach(requireExact);
  };

  const readLine = (text) => {
    const told = JSON.parse(text);
    if (!isObject(told) || hasTwice(text)) throw new SyntaxError("not a line of an export");
    requireExact(told);
    return told;
  };

  const isBefore = (one, other) => {
    const [at] = [0, 1, 2].filter((place) => one[place] !== other[place]);
    return at !== undefined && one[at] < other[at];
  };

  // The records below this place have ended by the retention of the log, if this one says so.
  const endedBelow = (record) => {
    const until = record.after?.until;
    const tells = record.action === "records.ended" && (record.reported_by ?? null) === null;
    return tells && record.position.source === "audit" && Number.isInteger(until) ? until : 0;
  };

  const isProved = async (seal, leaf, head, root) => {
    if (!Number.isInteger(seal.index)) return false;
    const found = leaf && (await rootOf(leaf, seal.index, head.size, seal.proof.map(bytes)));
    return found !== null && equal(found, root);
  };

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
      if (Object.keys(record).length !== 1 || !(await isProved(seal, bytes(seal.leaf), head, root))) return false;
    } else if (type === "record") {
      const place = [record.occurred_at, record.position.seq, record.id];
      if (found.last && isBefore(place, found.last)) return false;
      found.last = place;
      if (seal === null) return (found.newer += 1) > 0;
      if ("leaf" in seal || !(await isProved(seal, await leafOf(record), head, root))) return false;
      found.until = Math.max(found.until, endedBelow(record));
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

  const verifiedFile = async (text, keys) => {
    if (!globalThis.crypto?.subtle) throw new NotByBrowser();
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    const found = { records: 0, newer: 0, until: 0, kept: new Set(), hashes: new Set() };
    const bad = (line) => ({ ...found, bad: line });
    let number = 1;
    try {
      const head = readLine(lines[0]);
      const [origin, size, root] = head.checkpoint.split("\n");
      const signed = await Promise.all(keys.split("\n").map((key) => isSigned(head.checkpoint, key)));
      if (head.type !== "export" || Number(size) !== head.size || !signed.includes(true)) return bad(1);
      if (origin.slice(origin.lastIndexOf("/") + 1) !== head.account_id) return bad(1);
      for (number = 2; number <= lines.length; number += 1) {
        if (!(await addLine(lines[number - 1], found, head, bytes(root)))) return bad(number);
      }
      const complete = Object.keys(head.filters).length === 0 && head.after === null;
      return complete && !isWhole(found, head) ? bad(number) : found;
    } catch (fault) {
      const isOfFile = fault instanceof TypeError || fault instanceof SyntaxError || fault.name === "InvalidCharacterError";
      if (isOfFile) return bad(number);
      throw fault;
    }
  };

  const box = document.getElementById("verify");
  if (box) {
    const note = box.querySelector("[role=status]");
    const say = (name, kind, ...numbers) =>
      tell(note, numbers.reduce((text, one) => text.replace("#", one), box.dataset[name]), kind);
    box.querySelector("input").addEventListener("change", async (event) => {
      const [file] = event.target.files;
      if (!file) return;
      note.hidden = false;
      say("busy", "");
      try {
        if (file.size > MAX_FILE) throw new NotByBrowser();
        const found = await verifiedFile(await file.text(), box.dataset.keys);
        if (found.bad) say("bad", "bad", found.bad);
        else if (!found.ended) say("cut", "warn", found.records);
        else if (found.newer) say("newer", "warn", found.records, found.newer);
        else say("good", "good", found.records);
      } catch {
        say("unable", "warn");
      }
    });
    box.hidden = false;
  }
})();
