// Asks the browser for a security key: the server's question stands in the form, the answer goes back by the form.

function known() {
  return window.PublicKeyCredential?.parseCreationOptionsFromJSON && window.PublicKeyCredential.parseRequestOptionsFromJSON;
}

async function answer(form) {
  const options = JSON.parse(form.dataset.options);
  if (form.dataset.securityKey === "new") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return navigator.credentials.get({ publicKey });
}

for (const form of document.querySelectorAll("[data-security-key]")) {
  const said = form.querySelector("[data-said]");
  if (!known()) {
    said.textContent = "This browser cannot use security keys here.";
    continue;
  }
  form.querySelector("button").disabled = false;
  said.textContent = "";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.textContent = "Waiting for the key…";
    try {
      const credential = await answer(form);
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      said.textContent = error.name === "InvalidStateError" ? "This key is set up already." : "No key answered. Try again.";
    }
  });
}
