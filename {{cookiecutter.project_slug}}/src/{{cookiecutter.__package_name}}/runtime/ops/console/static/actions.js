// Buttons and forms that change something: they say exactly what will be sent, ask, and send.

import { forgetToken, keepToken, token } from "./token.js";

const find = (id) => document.getElementById(id);
const dialog = find("ask");
const problem = find("ask-problem");
const done = find("done");

let asked = null; // the command that the dialog is about
let running = null; // what ends its request
let fading = 0; // the timer that takes away what was done

/** Listen to the whole page; `refresh(section)` shows a section anew. */
export function listen({ refresh }) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-method]");
    if (button) ask(fromButton(button));
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.method) {
      event.preventDefault();
      ask(fromForm(form, event.submitter));
    }
  });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!running) run(refresh);
  });
  find("ask-cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    running?.abort(); // the server stops what nobody waits for
    find("ask-token").value = "";
    asked = null;
  });
}

function fromButton(button) {
  const { method, path, body, confirm, busy } = button.dataset;
  return command(button, { method, path, confirm, busy, body: body ? JSON.parse(body) : null });
}

function fromForm(form, submitter) {
  const values = new Map();
  for (const field of form.elements) {
    if (field.name && !field.disabled && field.type !== "submit") values.set(field.name, field);
  }
  const used = new Set();
  const fill = (text, change) =>
    (text ?? "").replace(/\{([\w-]+)\}/g, (whole, name) =>
      values.has(name) ? change(values.get(name).value, name) : whole,
    );
  const path = fill(form.dataset.path, (value, name) => {
    used.add(name);
    return encodeURIComponent(value);
  });
  const body = {};
  for (const [name, field] of values) {
    if (field.type === "checkbox") body[name] = field.checked;
    else if (!used.has(name) && field.value !== "") body[name] = read(field);
  }
  const { method, confirm, busy } = form.dataset;
  const text = fill(confirm, (value) => value);
  const takes = fill(busy, (value) => value);
  const has = method !== "DELETE" && method !== "GET";
  return command(submitter ?? form, {
    method,
    path,
    confirm: text,
    busy: takes,
    body: has ? body : null,
  });
}

function read(field) {
  const isNumber = field.type === "number" || field.dataset.type === "number";
  return isNumber ? Number(field.value) : field.value;
}

function command(element, what) {
  const section = element.closest("[data-section]")?.dataset.section;
  return { ...what, section, label: element.textContent.trim() };
}

function ask(what) {
  asked = what;
  find("ask-title").textContent = what.label;
  find("ask-text").textContent = what.confirm;
  const body = what.body ? `\n${JSON.stringify(what.body, null, 2)}` : "";
  find("ask-request").textContent = `${what.method} ${what.path}${body}`;
  find("ask-do").textContent = what.label;
  problem.textContent = "";
  state({ busy: false });
  dialog.showModal();
  // The way out is what Enter and Space do by accident.
  find(token() ? "ask-cancel" : "ask-token").focus();
}

function state({ busy }) {
  // Really disabled it would lose the focus, and the keyboard its place.
  find("ask-do").setAttribute("aria-disabled", busy);
  find("ask-token-row").hidden = token() !== "";
  find("ask-token").required = token() === "";
  dialog.setAttribute("aria-busy", busy);
}

async function run(refresh) {
  const what = asked;
  const bearer = find("ask-token").value.trim() || token();
  running = new AbortController();
  const { signal } = running;
  problem.textContent = what.busy ? `Working: the answer takes ${what.busy} s. Cancel ends it.` : "";
  state({ busy: true });
  let answer = null;
  try {
    answer = await send(what, bearer, signal);
    if (answer.status === 401) forgetToken();
    else keepToken(bearer);
    if (!answer.ok) problem.textContent = await refusal(answer);
  } catch (error) {
    if (!signal.aborted) problem.textContent = `No answer: ${error.message}.`;
  }
  running = null;
  state({ busy: false });
  if (answer?.status === 401) find("ask-token").focus();
  if (answer?.ok) {
    dialog.close();
    finish(what, answer.headers.get("location"));
    for (const section of new Set([what.section, "audit"])) if (section) await refresh(section);
    requestAnimationFrame(() => keepPlace(what.section)); // when they are drawn
  }
}

// The button that was pressed may be gone with its row.
function keepPlace(section) {
  if (document.activeElement !== document.body) return;
  const first = find(section)?.querySelector(".content :is(button, input, select, summary, a)");
  first?.focus({ preventScroll: true });
}

function send({ method, path, body }, bearer, signal) {
  const headers = { authorization: `Bearer ${bearer}` };
  if (body) headers["content-type"] = "application/json";
  // Relative to the page: it may be behind a proxy's path.
  const url = new URL(path.replace(/^\//, ""), new URL(".", location.href));
  return fetch(url, {
    method,
    headers,
    body: body ? JSON.stringify(body) : undefined,
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    signal,
  });
}

async function refusal(answer) {
  const said = await answer.json().catch(() => ({}));
  const errors = (said.errors ?? []).map(({ pointer, detail }) => `${pointer}: ${detail}`);
  const parts = [said.detail, ...errors].filter(Boolean);
  return `Refused (${answer.status} ${said.title ?? answer.statusText}). ${parts.join(" ")}`;
}

function finish({ label, confirm }, location) {
  done.textContent = `Done: ${label}. ${confirm} `;
  if (location) {
    const link = document.createElement("a");
    link.href = location.replace(/^\//, "");
    link.textContent = "See it";
    done.append(link);
  }
  clearTimeout(fading);
  fading = setTimeout(() => done.replaceChildren(), 15_000);
}
