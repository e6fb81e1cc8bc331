// The server's events, for as long as somebody wants them.

const SILENCE = 10_000; // ms: the server says something every second
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 10_000;

/**
 * Follow the events at `url`; a lost stream is opened again, for ever.
 *
 * `tell` gets {kind: "section" | "at", data} for each, and {kind: "lost"} for each attempt that
 * has failed: who hears nothing at all knows that nobody tries any more.
 * Returns a function that ends it.
 */
export function follow(url, tell) {
  let source = null;
  let again = 0;
  let wait = FIRST_WAIT;
  let heard = Date.now();

  function open() {
    heard = Date.now();
    source = new EventSource(url);
    for (const kind of ["section", "at"]) {
      source.addEventListener(kind, (event) => {
        heard = Date.now();
        wait = FIRST_WAIT;
        tell({ kind, data: JSON.parse(event.data) });
      });
    }
    // The browser would try again by itself, but not after an answer such as 503.
    source.onerror = lose;
  }

  function lose() {
    source.close();
    clearTimeout(again);
    again = setTimeout(open, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
    tell({ kind: "lost" });
  }

  // A machine that slept, or a network that went away, closes nothing.
  const watch = setInterval(() => {
    if (source.readyState !== EventSource.CLOSED && Date.now() - heard > SILENCE) lose();
  }, 2_000);
  open();
  return () => {
    clearInterval(watch);
    clearTimeout(again);
    source.close();
  };
}
