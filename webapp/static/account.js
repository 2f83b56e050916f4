// Pages on accounts: a button beside each password that shows what is typed.
"use strict";

for (const field of document.querySelectorAll("[data-password]")) {
  const input = field.querySelector("input");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  const tell = () => {
    const isShown = input.type === "text";
    button.textContent = isShown ? "Hide" : "Show";
    button.setAttribute("aria-pressed", String(isShown));
    button.setAttribute("aria-label", `${button.textContent} what is typed`);
  };
  button.addEventListener("click", () => {
    input.type = input.type === "password" ? "text" : "password";
    tell();
    input.focus();
  });
  // What is shown must not be kept by the browser as a text that was typed before.
  input.form.addEventListener("submit", () => { input.type = "password"; });
  tell();
  input.after(button);
}
