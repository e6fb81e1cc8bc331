// The page stays as the server sent it; this keeps it up to date and makes its buttons work.

import { listen } from "./actions.js";
import { morph } from "./morph.js";
import { follow } from "./source.js";

const { events, fragments, worker, page } = document.body.dataset;
const root = document.documentElement;
const state = document.getElementById("stream");
const age = document.getElementById("stream-age");
const address = new URL(events, location.href).href;
const SILENCE = 30; // seconds: even while nothing is reached, that is said more often

const pending = new Map(); // sections whose newest HTML is not shown yet
let drawing = false;
let lostAt = 0;
let silent = 0; // seconds, counted one by one: those in which the machine slept are none

function show(name, html) {
  pending.set(name, html);
  if (!drawing) {
    drawing = true;
    requestAnimationFrame(draw);
  }
}

function draw() {
  drawing = false;
  for (const [name, html] of pending) {
    const content = document.querySelector(`[data-section="${CSS.escape(name)}"]`);
    // Text that somebody has selected, to copy it, is not taken from under the hand.
    if (content && isSelected(content)) {
      content.dataset.held = "";
      continue;
    }
    pending.delete(name);
    if (content) {
      delete content.dataset.held;
      morph(content, html);
    }
  }
}

function isSelected(content) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(content, true);
}

document.addEventListener("selectionchange", () => {
  if (pending.size > 0 && getSelection().isCollapsed && !drawing) {
    drawing = true;
    requestAnimationFrame(draw);
  }
});

// Said when it changes, and only then: a screen reader reads this out.
function say(kind, text) {
  root.dataset.stream = kind;
  if (state.textContent !== text) state.textContent = text;
}

function hear({ kind, data }) {
  silent = 0;
  if (kind === "section") {
    show(data.name, data.html);
  } else if (kind === "lost") {
    lostAt = lostAt || Date.now();
    say("lost", "Connection lost: these values are old. Trying again");
  } else {
    lostAt = 0;
    age.textContent = data.at;
    if (data.page === page) say("live", "Live");
    else say("live", "Live, but this page is of another version: reload it");
  }
}

setInterval(() => {
  if (lostAt) age.textContent = `for ${Math.round((Date.now() - lostAt) / 1000)} s`;
  silent = document.hidden ? 0 : silent + 1;
  if (silent > SILENCE) leaveWorker(); // it has died, which nothing else tells
}, 1_000);

// Only tabs that somebody can see are told anything.
function watchAlone() {
  let end = null;
  return (watch) => {
    if (watch && !end) {
      end = follow(address, hear);
    } else if (!watch && end) {
      end();
      end = null;
    }
  };
}

function watchTogether() {
  const shared = new SharedWorker(worker, { type: "module", name: "console" });
  shared.port.onmessage = ({ data }) => hear(data);
  shared.onerror = leaveWorker;
  return (watch) => shared.port.postMessage({ watch, url: address });
}

let together = true;
let watch = null;

function leaveWorker() {
  if (!together) return;
  together = false;
  watch?.(false);
  watch = watchAlone();
  watch(!document.hidden);
}

try {
  watch = watchTogether();
  watch(!document.hidden);
} catch {
  leaveWorker(); // no browser has to have one, or to let a site have it
}
document.addEventListener("visibilitychange", () => watch(!document.hidden));
addEventListener("pagehide", () => watch(false));
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) watch(true);
});

/** Show a section as it is now, without waiting for its turn. */
async function refresh(name) {
  try {
    const answer = await fetch(fragments + encodeURIComponent(name), { cache: "no-store" });
    if (answer.ok) show(name, await answer.text());
  } catch {
    // Its turn comes, and a connection that is lost is said already.
  }
}

listen({ refresh });
