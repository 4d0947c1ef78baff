// Sends a file in parts, as a request holds 2.5 MiB; without it the form sends what fits into one.
"use strict";

const PART = 2_000_000;
const form = document.getElementById("import");
const told = document.getElementById("import-progress");

async function call(path, options) {
  const token = form.elements.csrfmiddlewaretoken.value;
  const answer = await fetch(path, {...options, headers: {"X-CSRFToken": token, ...options.headers}});
  const content = await answer.json();
  if (!answer.ok) throw new Error(`${content.detail} ${content.next_step}`);
  return content;
}

async function send(file) {
  const path = form.dataset.imports;
  const begun = JSON.stringify({name: file.name, size: file.size});
  let found = await call(path, {method: "POST", body: begun, headers: {"Content-Type": "application/json"}});
  while (found.state === "receiving") {
    const part = file.slice(found.received, found.received + PART);
    const place = `${path}/${found.key}/content?offset=${found.received}`;
    found = await call(place, {method: "PUT", body: part, headers: {"Content-Type": "application/octet-stream"}});
    told.textContent = `${Math.floor(100 * found.received / found.size)} % of ${file.name} is here.`;
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
