"use strict";

// Has the browser use or make a passkey, and sends what it answers in the form of the page.
(() => {
  const form = document.querySelector("form[data-options]");
  const show = (id, shown) => { document.getElementById(id).hidden = !shown; };
  const read = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
  const written = (bytes) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  const described = ({ id, type, transports }) => ({ id: read(id), type, transports });

  const used = async (options) => {
    const publicKey = { ...options, challenge: read(options.challenge), allowCredentials: [] };
    const found = await navigator.credentials.get({ publicKey });
    const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
    return [found, {
      clientDataJSON: written(clientDataJSON),
      authenticatorData: written(authenticatorData),
      signature: written(signature),
      userHandle: userHandle && written(userHandle),
    }];
  };

  const made = async (options) => {
    const publicKey = {
      ...options,
      challenge: read(options.challenge),
      user: { ...options.user, id: read(options.user.id) },
      excludeCredentials: (options.excludeCredentials ?? []).map(described),
    };
    const found = await navigator.credentials.create({ publicKey });
    const { clientDataJSON, attestationObject } = found.response;
    return [found, {
      clientDataJSON: written(clientDataJSON),
      attestationObject: written(attestationObject),
    }];
  };

  const ask = async () => {
    show("not-used", false);
    if (!form.reportValidity()) return;
    const options = JSON.parse(form.dataset.options);
    try {
      const [found, response] = await ("makes" in form.dataset ? made : used)(options);
      form.elements.credential.value = JSON.stringify({
        id: found.id,
        rawId: written(found.rawId),
        type: found.type,
        response,
      });
      form.submit();
    } catch {
      show("not-used", true);
    }
  };

  if (!window.PublicKeyCredential) {
    show("unable", true);
    return;
  }
  form.hidden = false;
  form.querySelector("button").addEventListener("click", ask);
  if ("begins" in form.dataset) ask();
})();
