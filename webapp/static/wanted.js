// Names of labels while somebody types one: the browser's own list of choices, filled from the search. Without this file the name is
// typed in full. `element` comes from portal.js.
"use strict";

for (const input of document.querySelectorAll("input[data-labels]")) {
  const list = element("datalist", { id: `${input.id}-labels` });
  input.after(list);
  input.setAttribute("list", list.id);
  input.autocomplete = "off";
  let waiting;
  let asked = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    const query = input.value.trim();
    if (!query) return list.replaceChildren();
    waiting = setTimeout(async () => {
      const turn = ++asked;
      const response = await fetch(`${input.dataset.labels}?q=${encodeURIComponent(query)}`, { headers: { Accept: "application/json" } });
      if (!response.ok || turn !== asked) return;
      const { labels } = await response.json();
      const names = labels.map((label) => label.name);
      // Of labels that share a name the code says which is meant.
      list.replaceChildren(
        ...labels.map((label) => element("option", { value: names.indexOf(label.name) === names.lastIndexOf(label.name) ? label.name : label.code, label: label.alias ? `${label.name}, ${label.alias}` : label.name })),
      );
    }, 120);
  });
  // On a slow line somebody types before this file is there.
  if (input === document.activeElement) input.dispatchEvent(new Event("input"));
}
