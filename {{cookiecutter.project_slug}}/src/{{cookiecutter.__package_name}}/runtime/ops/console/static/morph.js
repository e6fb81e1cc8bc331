// New HTML into old, in place: what has not changed stays the same element, so that focus,
// selection, scrolling, open details and what somebody is typing stay, too.

/** Make the inside of `element` what `html` says. */
export function morph(element, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html; // the page's policy lets nothing in it run
  const focused = document.activeElement;
  children(element, fresh.content);
  if (focused !== document.activeElement && element.contains(focused)) {
    focused.focus({ preventScroll: true }); // it was moved
  }
}

// What an element is known by; another kind of element is another, even with the same name.
function key(node) {
  const name = node.nodeType === Node.ELEMENT_NODE && (node.id || node.dataset.key);
  return name ? `${node.nodeName} ${name}` : "";
}

function children(parent, fresh) {
  const nodes = [...fresh.childNodes];
  const wanted = new Set(nodes.map(key).filter(Boolean));
  const had = new Map();
  for (const child of parent.children) if (key(child)) had.set(key(child), child);

  let at = parent.firstChild;
  const drop = () => {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  };
  for (const next of nodes) {
    const kept = had.get(key(next));
    // Also what has no name, such as the space between rows, goes from before what stays:
    // otherwise all rows after one that is gone would move, and a moved one loses its focus.
    while (at && at !== kept && (key(at) ? !wanted.has(key(at)) : kept)) drop();
    const old = key(next) ? kept : at && !key(at) ? at : null;
    if (!old || old.nodeName !== next.nodeName) {
      parent.insertBefore(next, at);
    } else {
      if (old === at) at = at.nextSibling;
      else parent.insertBefore(old, at);
      patch(old, next);
    }
  }
  while (at) drop();
}

function patch(old, next) {
  if (old.isEqualNode(next)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = next.nodeValue;
    return;
  }
  attributes(old, next);
  // A list that somebody has unfolded or chosen from.
  const theirs = old.nodeName === "SELECT" && (old === document.activeElement || chosen(old));
  if (!theirs) children(old, next);
}

function chosen(select) {
  const options = [...select.options];
  const first = options.findIndex((option) => option.defaultSelected);
  return select.selectedIndex !== Math.max(first, 0);
}

function attributes(old, next) {
  const kept = (name) => name === "open" && old.nodeName === "DETAILS";
  for (const { name, value } of next.attributes) {
    if (!kept(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!kept(name) && !next.hasAttribute(name)) old.removeAttribute(name);
  }
}
