// Sends a file in parts, as a request holds 2.5 MiB; without it the form sends what fits into one.
"use strict";

const PART = 2_000_000;
const PATIENCE_SECONDS = 60;
const AWAY = [502, 503, 504];
const form = document.getElementById("import");
const told = document.getElementById("import-progress");

class Away extends Error {}

async function call(path, options) {
  const token = form.elements.csrfmiddlewaretoken.value;
  const headers = {"X-CSRFToken": token, ...options.headers};
  const answer = await fetch(path, {...options, headers}).catch((error) => { throw new Away(error.message); });
  if (AWAY.includes(answer.status)) throw new Away(`Sluice does not answer: ${answer.status}.`);
  const content = await answer.json();
  if (!answer.ok) throw new Error(`${content.detail} ${content.next_step}`);
  return content;
}

function put(path, found, file) {
  const part = file.slice(found.received, found.received + PART);
  const headers = {"Content-Type": "application/octet-stream"};
  return call(`${path}/content?offset=${found.received}`, {method: "PUT", body: part, headers});
}

async function send(file) {
  const body = JSON.stringify({name: file.name, size: file.size});
  const headers = {"Content-Type": "application/json"};
  let found = await call(form.dataset.imports, {method: "POST", body, headers});
  const path = `${form.dataset.imports}/${found.key}`;
  let lost = 0;
  while (found.state === "receiving") {
    try {
      // Whether the last part arrived is not known when its answer did not.
      found = lost ? await call(path, {}) : await put(path, found, file);
      lost = 0;
      told.textContent = `${Math.floor(100 * found.received / found.size)} % of ${file.name} is here.`;
    } catch (error) {
      lost += 1;
      if (!(error instanceof Away) || lost > PATIENCE_SECONDS) throw error;
      told.textContent = `${error.message} Trying again.`;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  told.textContent = `${file.name} is here; its rows are taken now.`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  told.hidden = false;
  try {
    await send(form.elements.file.files[0]);
    form.reset();
  } catch (error) {
    told.textContent = error.message;
  } finally {
    button.disabled = false;
  }
});
