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

// -- a page afresh: the parts marked data-live become what the server's own page says ----------------------------------

async function shownAt(address, options = {}) {
  const answer = await fetch(address, { headers: { Accept: "text/html", ...options.headers }, ...options.post });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  prepare(fresh);
  return { answer, fresh };
}

async function refresh(isTold = false) {
  // What says that something went wrong may be the answer to a form, and nothing to ask for; what is live about it is on all pages.
  const address = one(".fault") ? `${base}/clock` : location.href;
  const { answer, fresh } = await shownAt(address, { headers: isTold ? { "Sandbox-Told": "1" } : {} });
  if (answer.status === 404) say("gone", "deleted");
  if (answer.status === 401) say("off", "signed out");
  if (answer.ok) renew(fresh);
}

// What is said of a form that was sent, data-said, is in the answer to it and on no page that is asked for later.
function renew(fresh, isAnswer = false) {
  const newest = newestRow();
  for (const name of isAnswer ? ["live", "said"] : ["live"]) {
    for (const part of all(`[data-${name}]`)) {
      const other = one(`[data-${name}="${part.dataset[name]}"]`, fresh);
      if (other) morph(part, other);
    }
  }
  for (const row of rows()) if (numberOf(row) > newest) markAsNew(row);
  tick();
}

const rows = () => all("tr[data-key]");
const numberOf = (row) => Number(row.dataset.key.slice(1));
const newestRow = () => Math.max(0, ...rows().map(numberOf));

// For a moment; where nothing is to move, the mark does not fade but ends.
function markAsNew(row) {
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const marked = { backgroundColor: "var(--link-soft)", boxShadow: "inset 3px 0 var(--link-strong)" };
  row.animate([marked, { ...marked, offset: 0.4 }, {}], { duration: 3000, easing: isCalm ? "step-end" : "ease-out" });
}

// What a script has made stands in no answer of the server: it is left alone.
const isOwn = (node) => node.id === "gutter";

// Makes one node the other and keeps what is in place already: the focus, what is typed, scrolled, selected or opened.
function morph(old, fresh) {
  if (old.isEqualNode(fresh) || isOwn(old)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  let at = old.firstChild;
  for (const next of fresh.childNodes) {
    const same = counterpart(at, next);
    if (!same) {
      old.insertBefore(page.importNode(next, true), at);
      continue;
    }
    while (at !== same) at = without(at);
    morph(same, next);
    at = same.nextSibling;
  }
  while (at) at = without(at);
}

const nameOf = (node) => node.id || node.dataset?.key || "";

// What is to become *next*, from *at* on: the node of its name, or the first unnamed one of its kind.
function counterpart(at, next) {
  const name = nameOf(next);
  for (let node = at; node; node = node.nextSibling) {
    if (node.nodeName === next.nodeName && nameOf(node) === name) return node;
    if (next.nodeType !== Node.ELEMENT_NODE || (!name && nameOf(node))) return null;
  }
  return null;
}

function without(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

// -- what happens is shown as it does: a stream tells that something has, the page is asked for afresh ------------------

const sign = one("#line");
const QUIET_MS = 300;
let stream, again, isRefreshing = false;
let wanted = null; // null: nothing; true: what was told; false: all, as something may have happened untold

function say(state, text) {
  sign.hidden = false;
  sign.dataset.state = state;
  one("span", sign).textContent = text;
}

// However much happens: one page at a time, and a few a second.
async function beFresh(isTold) {
  wanted = isTold && wanted !== false;
  if (isRefreshing) return;
  isRefreshing = true;
  while (wanted !== null) {
    const isAboutTold = wanted;
    wanted = null;
    await refresh(isAboutTold).catch(() => {});
    await new Promise((done) => { setTimeout(done, QUIET_MS); });
  }
  isRefreshing = false;
}

// A tab that nobody looks at listens to nothing: browsers open six connections to a server for all tabs together.
function follow() {
  if (stream || page.hidden) return;
  stream = new EventSource(`${base}/_sandbox/events`);
  stream.onopen = () => {
    say("on", "live");
    beFresh(false);
  };
  stream.onerror = () => {
    say("off", "no connection");
    if (stream?.readyState !== EventSource.CLOSED) return;
    leave();
    again = setTimeout(follow, 3000);
  };
  for (const kind of ["message", "request", "callback", "clock", "scenario", "more"]) {
    stream.addEventListener(kind, () => beFresh(true));
  }
}

function leave() {
  stream?.close();
  stream = undefined;
  clearTimeout(again);
}

// -- while nobody looks: the title says how many messages came --------------------------------------------------------

const title = page.title;
const ASIDE_MS = 5000;
let aside, seen;

async function countUnseen() {
  const answer = await fetch(`${base}/_sandbox/messages?limit=1`);
  if (!answer.ok || !page.hidden) return;
  const [latest] = (await answer.json()).messages;
  const newest = latest ? Number(latest.id.slice(1)) : undefined;
  seen ??= newest ?? 0;
  if (newest < seen) seen = 0; // all began anew
  page.title = newest > seen ? `(${newest - seen}) ${title}` : title;
}

function watchAside() {
  clearInterval(aside);
  aside = setInterval(() => { countUnseen().catch(() => {}); }, ASIDE_MS);
  countUnseen().catch(() => {});
}

function beLookedAt() {
  clearInterval(aside);
  seen = undefined;
  page.title = title;
}

function attend() {
  if (page.hidden) {
    leave();
    watchAside();
  } else {
    beLookedAt();
    follow();
  }
}

// -- a clock that runs is seen to run ----------------------------------------------------------------------------------

let tickedFrom = new Map();

function tick() {
  for (const time of all("time[data-rate]")) {
    const rate = Number(time.dataset.rate);
    const began = tickedFrom.get(time);
    if (began?.iso !== time.dateTime) {
      tickedFrom.set(time, { iso: time.dateTime, at: performance.now() });
    } else if (rate) {
      const now = new Date(Date.parse(began.iso) + (performance.now() - began.at) * rate).toISOString();
      time.textContent = time.dataset.form === "time" ? now.slice(11, 19) : `${now.slice(0, 19)}Z`;
    }
  }
}

// -- buttons: the form is sent as it stands, and the page shown afresh ------------------------------------------------

const busy = new Set();

async function act(form, button) {
  if (busy.has(form)) return;
  busy.add(form);
  const post = { method: "POST", body: new URLSearchParams(new FormData(form, button)) };
  try {
    const { answer, fresh } = await shownAt(form.action, { post });
    if (answer.ok && samePage(answer.url)) return renew(fresh, true);
    if (answer.ok) return await refresh();
    // What went wrong is a page of its own.
    form.removeAttribute("data-action");
    form.requestSubmit(button);
  } finally {
    busy.delete(form);
  }
}

const samePage = (address) => new URL(address).pathname === location.pathname;

// -- the form that sends: what would come of it, while somebody types --------------------------------------------------

function watch(form) {
  let timer, asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const body = new URLSearchParams(new FormData(form));
    body.set("do", "try");
    const { answer, fresh } = await shownAt(form.action, { post: { method: "POST", body } });
    if (answer.ok && mine === asked) morph(one("#outcome"), one("#outcome", fresh));
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { ask().catch(() => {}); }, 200);
  });
}

// -- the editor: the server looks for mistakes while somebody types; each is marked at its line ------------------------

function edit(form) {
  const text = one("textarea", form), gutter = one("#gutter"), told = one("#mistakes");
  let timer, asked = 0;
  gutter.hidden = false;
  // Typed before this page came as the answer to it: a page that is asked for afresh must not replace it.
  if ("typed" in form.dataset) text.value = text.value;

  const mark = () => {
    const wrong = new Set(all("[data-line]", told).map((link) => Number(link.dataset.line)));
    const lines = text.value.split("\n").length;
    const state = `${lines} ${[...wrong]}`;
    if (gutter.dataset.state !== state) {
      gutter.dataset.state = state;
      gutter.replaceChildren(...Array.from({ length: lines }, (_, index) => {
        const line = page.createElement(wrong.has(index + 1) ? "b" : "i");
        line.textContent = index + 1;
        return line;
      }));
    }
    gutter.scrollTop = text.scrollTop;
  };
  const check = async () => {
    const mine = ++asked;
    const body = new URLSearchParams({ yaml: text.value, do: "check" });
    const { answer, fresh } = await shownAt(form.action, { post: { method: "POST", body } });
    if (answer.ok && mine === asked) morph(told, one("#mistakes", fresh));
  };
  text.addEventListener("input", () => {
    mark();
    clearTimeout(timer);
    timer = setTimeout(() => { check().catch(() => {}); }, 300);
  });
  text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(one("#apply"));
  });
  told.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    const before = text.value.split("\n").slice(0, link.dataset.line - 1);
    const place = before.join("\n").length + (before.length ? 1 : 0) + Number(link.dataset.column) - 1;
    text.focus();
    text.setSelectionRange(place, place);
    const lineHeight = parseFloat(getComputedStyle(text).lineHeight);
    text.scrollTop = (before.length - 3) * lineHeight;
  });
  new MutationObserver(mark).observe(told, { childList: true, subtree: true, characterData: true, attributes: true });
  new MutationObserver(mark).observe(text, { childList: true, characterData: true, subtree: true });
  mark();
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
  const step = one(`[data-step="${CSS.escape(event.key)}"]`);
  if (step || Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    step ? step.click() : keys[event.key]();
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
for (const form of all("[data-editor]")) edit(form);
page.addEventListener("keydown", press);
page.addEventListener("click", (event) => {
  const button = event.target.closest(".copy");
  if (button) copy(button);
  if (event.target === dialog) dialog.close();
});
page.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-action]")) return;
  event.preventDefault();
  act(event.target, event.submitter);
});
page.addEventListener("visibilitychange", attend);
addEventListener("pagehide", leave);
addEventListener("pageshow", attend);
setInterval(tick, 250);
tick();
