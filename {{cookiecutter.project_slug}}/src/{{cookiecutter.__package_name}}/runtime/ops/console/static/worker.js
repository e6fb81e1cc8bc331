// One stream for all tabs of a browser: it opens six connections to a server at most, and
// with a stream in each the seventh tab would wait for ever.

import { follow } from "./source.js";

const watching = new Map(); // each visible tab's port, and the stream that it wants
let url = "";
let end = null;
let newest = new Map(); // the last event of each section, for a tab that joins

function tell(message) {
  if (message.kind === "section") newest.set(message.data.name, message);
  else newest.set(message.kind === "lost" ? "at" : message.kind, message);
  for (const port of watching.keys()) port.postMessage(message);
}

function leave(port) {
  watching.delete(port);
  if (watching.size === 0 && end) {
    end();
    end = null;
  }
}

onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (!data.watch) {
      leave(port);
      return;
    }
    watching.set(port, data.url);
    if (end && url === data.url) {
      for (const message of newest.values()) port.postMessage(message);
      return;
    }
    if (end) end();
    url = data.url;
    newest = new Map();
    end = follow(url, tell);
  };
};
