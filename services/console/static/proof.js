"use strict";

// Checks by WebCrypto that a record is under a signed checkpoint, as `rolecall audit verify` does.
// What a whole file needs, too, is its result.
const sealedLog = (() => {
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

  return { NotByBrowser, bytes, equal, isObject, isOfText, isSigned, isText, leafOf, readLine, rootOf, tell };
})();
