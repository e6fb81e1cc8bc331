// The operator's token: in this tab, until it is closed. No cookie has it, so that no other
// site can make the browser send it.

const NAME = "console.token";
const button = document.getElementById("forget");

/** The token, empty when nobody has given one. */
export const token = () => sessionStorage.getItem(NAME) ?? "";

export function keepToken(value) {
  sessionStorage.setItem(NAME, value);
  show();
}

export function forgetToken() {
  sessionStorage.removeItem(NAME);
  show();
}

function show() {
  if (button) button.hidden = token() === "";
}

button?.addEventListener("click", forgetToken);
show();
