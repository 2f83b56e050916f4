// Runs before the page is drawn, so that nobody who chose dark sees a white page first. portal.js lets people choose.
"use strict";

const applyTheme = () => {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
};
applyTheme();
