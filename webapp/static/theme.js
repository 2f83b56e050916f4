// Runs before the page is drawn, so that nobody who chose dark sees a white page first. portal.js lets people choose.
"use strict";

// A browser that keeps nothing for a page throws.
const keptTheme = () => {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
};
const applyTheme = () => {
  const chosen = keptTheme();
  if (["light", "dark"].includes(chosen)) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
};
applyTheme();
