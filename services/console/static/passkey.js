"use strict";

// Asks the browser for a passkey, and sends what it signed in the form of the page.
(() => {
  const form = document.querySelector("form[data-options]");
  const show = (id, shown) => { document.getElementById(id).hidden = !shown; };
  const read = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
  const written = (bytes) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  const ask = async () => {
    show("not-used", false);
    const options = JSON.parse(form.dataset.options);
    const publicKey = { ...options, challenge: read(options.challenge), allowCredentials: [] };
    try {
      const found = await navigator.credentials.get({ publicKey });
      const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
      form.elements.credential.value = JSON.stringify({
        id: found.id,
        rawId: written(found.rawId),
        type: found.type,
        response: {
          clientDataJSON: written(clientDataJSON),
          authenticatorData: written(authenticatorData),
          signature: written(signature),
          userHandle: userHandle && written(userHandle),
        },
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
