// Light or dark as somebody chose it here before; in the head, so that no page flashes in the other first.
"use strict";
{
  const chosen = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
