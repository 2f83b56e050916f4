// What the pages gain from scripts; all of them work without. No dependencies, nothing inline.
"use strict";

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

// On a phone the main ways go on to the side: the one that was taken is in sight.
const way = document.querySelector(".main-nav [aria-current]");
if (way) way.parentElement.scrollLeft += Math.max(0, way.getBoundingClientRect().right - way.parentElement.getBoundingClientRect().right);

// "/" goes to the search.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    document.getElementById("search").select();
  }
});

// "?" shows what keys this page knows; the keyboard then goes back to where it was.
const keys = document.querySelector("[data-keys]");
const toggleKeys = () => {
  for (const row of keys.querySelectorAll("[data-for]")) row.hidden = !document.querySelector(row.dataset.for);
  if (keys.open) keys.close();
  else keys.showModal();
};
for (const button of document.querySelectorAll("[data-help]")) {
  button.hidden = false;
  button.addEventListener("click", toggleKeys);
}
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "?" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    toggleKeys();
  }
});

// What is meant for a terminal, a notebook or a paper is copied with one click. Browsers allow it where nobody can listen in.
for (const command of navigator.clipboard ? document.querySelectorAll(".command") : []) {
  const text = command.textContent;
  const button = element("button", { class: "button small copy", type: "button", "aria-live": "polite" }, "Copy");
  button.addEventListener("click", async () => {
    const isCopied = await navigator.clipboard.writeText(text.trim()).then(() => true, () => false);
    button.textContent = isCopied ? "Copied" : "Not copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  command.append(button);
}

// Light or dark as somebody wants it, where that is not what the system says; theme.js applies it before anything is drawn.
const themes = document.querySelector("[data-theme-choice]");
if (themes) {
  // Browsers before 2024 know light alone.
  themes.hidden = !CSS.supports("color", "light-dark(red, red)");
  const choice = themes.querySelector("select");
  choice.value = document.documentElement.dataset.theme ?? "";
  choice.addEventListener("change", () => {
    if (choice.value) localStorage.setItem("theme", choice.value);
    else localStorage.removeItem("theme");
    applyTheme();
  });
}

// Menus close when something else is wanted; Escape gives the keyboard back to what opened them.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = menu.contains(event.target);
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// Labels while typing. Arrow keys choose, Enter goes there, Escape closes. A form with data-pick is sent with the label's code instead.
for (const searchForm of document.querySelectorAll("form[data-suggest]")) {
  const input = searchForm.querySelector("input[role=combobox], input[type=search]");
  const picks = "pick" in searchForm.dataset;
  const list = element("div", { class: "suggestions", id: `${input.id}-suggestions`, role: "listbox", "aria-label": "Labels" });
  list.hidden = true;
  searchForm.append(list);
  for (const [key, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" })) {
    input.setAttribute(key, value);
  }
  let chosen = -1;
  let asked = 0;
  let shownFor;
  let waiting;

  const close = () => {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (index) => {
    const options = [...list.querySelectorAll("a")];
    if (!options.length) return;
    chosen = (index + options.length) % options.length;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    options[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[chosen].id);
  };
  const suggest = async () => {
    const query = input.value.trim();
    const turn = ++asked;
    if (!query) return close();
    const response = await fetch(`${searchForm.dataset.suggest}?q=${encodeURIComponent(query)}`, { headers: { Accept: "application/json" } });
    if (!response.ok || turn !== asked) return;
    const { labels } = await response.json();
    // Whoever has chosen already keeps the choice when a later answer has it too.
    const choice = list.querySelectorAll("a")[chosen]?.getAttribute("href");
    const kept = labels.findIndex((label) => label.url === choice);
    list.replaceChildren(
      ...labels.map((label, at) =>
        element("a", { href: label.url, role: "option", id: `${list.id}-${at}`, tabindex: "-1", "data-code": label.code }, element("span", { class: "found" }, label.name, ...(label.alias ? [element("span", {}, ` ${label.alias}`)] : [])), element("span", {}, label.images.toLocaleString("en"))),
      ),
    );
    if (!labels.length) list.append(element("p", {}, "No label has this in its name."));
    list.hidden = false;
    shownFor = query;
    chosen = -1;
    if (kept >= 0) choose(kept);
    else input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-expanded", "true");
  };
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(suggest, 120);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return close();
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen + (event.key === "ArrowDown" ? 1 : chosen < 0 ? 0 : -1));
    } else if (event.key === "Enter" && (chosen >= 0 || (picks && shownFor === input.value.trim()))) {
      // A list of what was typed before is nobody's choice: the words themselves are sent then.
      event.preventDefault();
      list.querySelectorAll("a")[Math.max(chosen, 0)]?.click();
    }
  });
  searchForm.addEventListener("submit", () => {
    clearTimeout(waiting);
    asked++;
    close();
  });
  if (picks) {
    list.addEventListener("click", (event) => {
      const option = event.target.closest("a");
      if (!option) return;
      event.preventDefault();
      input.value = option.dataset.code;
      close();
      searchForm.requestSubmit();
    });
  }
  document.addEventListener("click", (event) => {
    if (!searchForm.contains(event.target)) close();
  });
}

// What is left empty in a filter is not in its address.
document.querySelector("[data-filters]")?.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});

// A branch of the label tree is fetched when it is opened.
document.querySelector("[data-tree]")?.addEventListener(
  "toggle",
  async (event) => {
    const branch = event.target;
    if (!branch.open || !branch.dataset.children) return;
    const response = await fetch(branch.dataset.children);
    if (!response.ok) return;
    delete branch.dataset.children;
    const part = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("ul");
    branch.querySelector(":scope > p").replaceWith(part);
  },
  true,
);

// A training run is followed until it ends: closely while it runs, and less and less often while it waits.
const followed = document.querySelector("[data-progress]");
if (followed) {
  const [closely, seldom] = [1500, 30000];
  let pause = closely;
  const follow = async () => {
    pause = Math.min(1.5 * pause, seldom);
    const response = await fetch(followed.dataset.progress, { headers: { Accept: "application/json" } }).catch(() => null);
    if (response?.ok) {
      const run = await response.json();
      const statusIsNew = followed.querySelector(".pill").textContent.trim() !== run.status;
      if (run.has_ended || statusIsNew) return location.reload();
      if (run.status === "running") pause = closely;
      followed.querySelector("[data-message]").textContent = run.message ?? "";
      for (const row of followed.querySelectorAll("[data-stage]")) {
        row.hidden = !run.stages.some((stage) => stage.name === row.dataset.stage);
      }
      for (const stage of run.stages) {
        const row = followed.querySelector(`[data-stage="${stage.name}"]`);
        row.querySelector("progress").value = stage.total ? stage.done / stage.total : 0;
        const count = `${stage.done.toLocaleString("en")} of ${stage.total.toLocaleString("en")}`;
        row.querySelector("[data-count]").textContent = stage.total ? [count, stage.left].filter(Boolean).join(", ") : "";
      }
      const [train, validation] = followed.querySelectorAll("polyline");
      if (train) {
        train.setAttribute("points", run.loss.train);
        validation.setAttribute("points", run.loss.validation);
        followed.querySelector("[data-top]").textContent = run.loss.top.toFixed(2);
      } else if (run.loss.train) return location.reload();
    }
    setTimeout(follow, pause);
  };
  setTimeout(follow, pause);
}

// A picture is shown before it is sent, may be dropped, and is answered in place.
const dropzone = document.querySelector("[data-dropzone]");
if (dropzone) {
  const input = dropzone.querySelector("input[type=file]");
  const preview = dropzone.querySelector("img");
  const answers = document.querySelector("[data-answers]");
  const seen = dropzone.querySelector("[data-seen]");
  // Where an answer is found is laid over the picture; of several answers, over and over.
  const lay = (number) => {
    seen.querySelector(".evidence")?.remove();
    const map = answers.querySelector(`[data-evidence="${number}"]`)?.cloneNode(true);
    if (map) seen.append(map);
    map?.removeAttribute("hidden");
    for (const button of answers.querySelectorAll("[data-show-evidence]")) {
      button.hidden = false;
      button.setAttribute("aria-pressed", String(button.dataset.showEvidence === String(number)));
    }
  };
  answers.addEventListener("click", (event) => {
    const button = event.target.closest("[data-show-evidence]");
    if (button) lay(button.dataset.showEvidence);
  });
  if (seen.querySelector(".evidence")) lay(0);
  const send = async () => {
    answers.setAttribute("aria-busy", "true");
    const response = await fetch(input.form.action, { method: "POST", body: new FormData(input.form), headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const found = page.querySelector("[data-answers]") ?? page.querySelector("main > *");
    answers.replaceChildren(...found.children);
    answers.removeAttribute("aria-busy");
    lay(0);
  };
  const show = () => {
    const [file] = input.files;
    if (!file) return;
    if (preview.src) URL.revokeObjectURL(preview.src);
    preview.src = URL.createObjectURL(file);
    // The size of a picture that was there before is not that of this one.
    for (const name of ["width", "height"]) preview.removeAttribute(name);
    preview.hidden = false;
    seen.querySelector(".evidence")?.remove();
    input.form.requestSubmit();
  };
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  preview.addEventListener("error", () => (preview.hidden = true));
  input.addEventListener("change", show);
  for (const name of ["dragenter", "dragover"]) {
    dropzone.addEventListener(name, (event) => {
      event.preventDefault();
      dropzone.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) dropzone.addEventListener(name, () => dropzone.classList.remove("over"));
  dropzone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    show();
  });
}
