"use strict";

// Checks by WebCrypto that a record is under a signed checkpoint, as `rolecall audit verify` does.
(() => {
  const place = document.getElementById("proof");
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

  const tell = (text, kind) => {
    place.firstElementChild.textContent = text;
    place.className = `note ${kind}`;
  };

  // Without WebCrypto or Ed25519, what the page says already stays.
  verified(place.dataset).then(
    (good) => (good ? tell(place.dataset.good, "good") : tell(place.dataset.bad, "bad")),
    () => {},
  );
})();
