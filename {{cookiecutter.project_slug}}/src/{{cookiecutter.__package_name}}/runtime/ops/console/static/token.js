// The operator's token: in this tab, until it is closed. No cookie has it, so that no other
// site can make the browser send it.

const button = document.getElementById("forget");
// One address may lead to several services: by path, or one after another through a forwarded
// port. The token of one is not for the others.
const NAME = `console.token ${location.pathname} ${document.body.dataset.service}`;
let known = stored((store) => store.getItem(NAME)) ?? "";

// A browser that may keep nothing for this site throws: then the token lasts as long as the page.
function stored(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

/** The token, empty when nobody has given one. */
export const token = () => known;

export function keepToken(value) {
  known = value;
  stored((store) => store.setItem(NAME, value));
  show();
}

export function forgetToken() {
  known = "";
  stored((store) => store.removeItem(NAME));
  show();
}

function show() {
  if (button) button.hidden = known === "";
}

button?.addEventListener("click", forgetToken);
show();
