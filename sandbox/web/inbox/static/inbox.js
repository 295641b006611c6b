// What the pages do beyond reading: copying, keys, light and dark, buttons without a reload. They read without it.
"use strict";

const page = document;
const base = page.body.dataset.base;
const one = (selector, within = page) => within.querySelector(selector);
const all = (selector, within = page) => [...within.querySelectorAll(selector)];

// -- light and dark --------------------------------------------------------------------------------------------------

function changeTheme() {
  const root = page.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* it holds for this page */ }
}

// -- copying ---------------------------------------------------------------------------------------------------------

async function copy(button) {
  const text = one("pre", button.closest("[data-copy]")).textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(one("pre", button.closest("[data-copy]")));
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

// -- a page afresh: the parts marked data-live are taken from the server's own page ------------------------------------

async function refresh(address = location.href) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of all("[data-live]")) {
    const other = one(`[data-live="${part.dataset.live}"]`, fresh);
    if (other && other.innerHTML !== part.innerHTML) swap(part, other);
  }
  prepare(page);
}

// Keeps what was opened, and the focus, where the new part has the same.
function swap(part, other) {
  const opened = all("details[open] > summary", part).map((summary) => summary.textContent);
  const focused = part.contains(page.activeElement) ? page.activeElement.getAttribute("href") : null;
  part.replaceChildren(...page.importNode(other, true).childNodes);
  for (const summary of all("details > summary", part)) {
    if (opened.includes(summary.textContent)) summary.parentElement.open = true;
  }
  if (focused) all("a", part).find((link) => link.getAttribute("href") === focused)?.focus({ preventScroll: true });
}

// -- buttons: the form is sent as it stands, and the page shown afresh ------------------------------------------------

async function act(form) {
  const button = one("button", form);
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok) return form.submit();
    await refresh();
  } finally {
    button.disabled = false;
  }
}

// -- the form that sends: what would come of it, while somebody types --------------------------------------------------

function watch(form) {
  let timer, asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const body = new URLSearchParams(new FormData(form));
    body.set("do", "try");
    const answer = await fetch(form.action, { method: "POST", body });
    if (!answer.ok || mine !== asked) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    swap(one("#outcome"), one("#outcome", fresh));
    prepare(page);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { ask().catch(() => {}); }, 200);
  });
}

// -- keys ------------------------------------------------------------------------------------------------------------

const dialog = one("#shortcuts");
let pending = "";

function move(by) {
  const rows = all("a.row");
  if (!rows.length) return one(by > 0 ? "[data-next]" : "[data-previous]")?.click();
  const at = rows.indexOf(page.activeElement);
  const next = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
  next.focus();
}

const keys = {
  "?": () => dialog.open ? dialog.close() : dialog.showModal(),
  "/": () => one("#q")?.select() ?? one("#f-message")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  u: () => one("[data-up]")?.click(),
  t: changeTheme,
};

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input:not([type=radio]), textarea, select, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (dialog.open && event.key !== "?") return;
  if (pending === "g") {
    pending = "";
    one(`[data-key="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  if (event.key === "g") {
    pending = "g";
    setTimeout(() => { pending = ""; }, 1000);
    return;
  }
  if (Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    keys[event.key]();
  }
}

// -- the beginning ---------------------------------------------------------------------------------------------------

function prepare(within) {
  for (const button of all(".copy[hidden]", within)) button.hidden = false;
}

prepare(page);
for (const [id, does] of [["theme", changeTheme], ["help", keys["?"]]]) {
  const button = page.getElementById(id);
  button.hidden = false;
  button.addEventListener("click", does);
}
for (const form of all("[data-explain]")) watch(form);
page.addEventListener("keydown", press);
page.addEventListener("click", (event) => {
  const button = event.target.closest(".copy");
  if (button) copy(button);
  if (event.target === dialog) dialog.close();
});
page.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-action]")) return;
  event.preventDefault();
  act(event.target);
});
