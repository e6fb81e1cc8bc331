"use strict";
// The graph can be read without this; with it a box can be zoomed into, and names searched for.

const chart = document.getElementById("chart");
const reset = document.getElementById("reset");
const search = document.getElementById("search");
const found = document.getElementById("found");
const number = (one, name) => parseFloat(one.getAttribute(name));
const boxes = [...chart.querySelectorAll("svg")].map((one) => ({
  one,
  x: number(one, "x"),
  y: number(one, "y"),
  width: number(one, "width"),
  text: one.querySelector("title").textContent.toLowerCase(),
}));
const SMALL = 0.0001; // per cent: what adding up many widths loses

function zoom(on) {
  const factor = 100 / on.width;
  for (const box of boxes) {
    const around = box.x <= on.x + SMALL && box.x + box.width >= on.x + on.width - SMALL;
    const above = box.y < on.y && around;
    const inside = box.x >= on.x - SMALL && box.x + box.width <= on.x + on.width + SMALL;
    box.one.classList.toggle("above", above);
    box.one.classList.toggle("out", !above && !(inside && box.y >= on.y));
    box.one.setAttribute("x", above ? "0%" : `${(box.x - on.x) * factor}%`);
    box.one.setAttribute("width", above ? "100%" : `${box.width * factor}%`);
  }
  reset.disabled = on === boxes[0];
}

function look() {
  const wanted = search.value.trim().toLowerCase();
  let share = 0;
  let end = -1;
  let count = 0;
  for (const box of boxes) { // from left to right, and from the outside in
    const hit = wanted !== "" && box.text.includes(wanted);
    box.one.classList.toggle("hit", hit);
    if (!hit) continue;
    count += 1;
    if (box.x >= end - SMALL) { // not inside of one that was counted
      share += box.width;
      end = box.x + box.width;
    }
  }
  found.textContent = wanted === "" ? "" : `${count} boxes, ${share.toFixed(1)} % of all`;
}

for (const box of boxes) {
  box.one.addEventListener("click", () => zoom(box));
  if (box.width < 1) continue; // hundreds of them are no help to a keyboard
  box.one.setAttribute("tabindex", "0");
  box.one.setAttribute("role", "button");
  box.one.addEventListener("keydown", (event) => {
    if (event.key === "Enter") zoom(box);
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && boxes.length) zoom(boxes[0]);
});
reset.addEventListener("click", () => boxes.length && zoom(boxes[0]));
search.addEventListener("input", look);
chart.classList.add("live");
document.getElementById("tools").hidden = false;
