// Galleries: pictures go on by themselves, arrows go from picture to picture as they lie, space and shift choose. Without this file
// a gallery is a list of links with a link to the next page. `element` comes from portal.js.
"use strict";

const gallery = document.querySelector("[data-gallery]");
const pictures = () => [...gallery.querySelectorAll("li > a")];

// The next pictures come when the end of a gallery is near.
const moreLink = document.querySelector("[data-more-link]");
if (moreLink) {
  let loading = false;
  const load = async () => {
    if (loading) return;
    loading = true;
    moreLink.textContent = "Loading …";
    const address = new URL(moreLink.href);
    address.searchParams.set("part", "1");
    const response = await fetch(address).catch(() => null);
    if (!response?.ok) {
      moreLink.textContent = "More pictures";
      loading = false;
      return;
    }
    const part = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("ul");
    gallery.append(...part.children);
    if (part.dataset.more) {
      moreLink.href = part.dataset.more;
      // Where few pictures fit, whoever waits for them decides whether to look on.
      const isCutShort = "cutShort" in part.dataset;
      moreLink.textContent = isCutShort ? "Look on" : "More pictures";
      if (isCutShort) watcher.disconnect();
      else watcher.observe(moreLink);
      loading = false;
    } else {
      watcher.disconnect();
      moreLink.remove();
    }
  };
  const watcher = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && load(), { rootMargin: "800px" });
  if (!("cutShort" in moreLink.dataset)) watcher.observe(moreLink);
  moreLink.addEventListener("click", (event) => {
    event.preventDefault();
    load();
  });
}

// Which picture an arrow leads to: the one beside it, or of the next row the one that lies nearest.
const neighbour = (from, key) => {
  const all = pictures();
  const at = all.indexOf(from);
  if (key === "ArrowLeft") return all[at - 1];
  if (key === "ArrowRight") return all[at + 1];
  const middle = (box) => box.left + box.width / 2;
  const here = from.getBoundingClientRect();
  const others = (key === "ArrowDown" ? all.slice(at + 1) : all.slice(0, at).reverse()).map((link) => [link, link.getBoundingClientRect()]);
  const next = others.find(([, box]) => (key === "ArrowDown" ? box.top >= here.bottom - 1 : box.bottom <= here.top + 1));
  if (!next) return undefined;
  const row = others.filter(([, box]) => Math.abs(box.top - next[1].top) < 2);
  return row.reduce((best, one) => (Math.abs(middle(one[1]) - middle(here)) < Math.abs(middle(best[1]) - middle(here)) ? one : best))[0];
};

// What is chosen here waits in the bar until it goes into the selection, all at once.
const bar = document.querySelector("[data-choosing]");
const said = document.querySelector("[data-said]");
const chosen = new Set();
let anchor;
// What the range from there has added: another end of it gives back what lies no longer between.
let ranged = [];
const sha256Of = (link) => link.pathname.split("/").pop();
const choose = (links, on) => {
  for (const link of links) {
    link.parentElement.classList.toggle("is-chosen", on);
    if (on) chosen.add(sha256Of(link));
    else chosen.delete(sha256Of(link));
    link.parentElement.querySelector(".pick")?.setAttribute("aria-pressed", String(on));
  }
  const room = Number(bar.dataset.room);
  bar.hidden = !chosen.size;
  if (chosen.size) said.hidden = true;
  bar.querySelector("[data-chosen]").textContent = chosen.size === 1 ? "1 picture chosen" : `${chosen.size} pictures chosen`;
  const full = bar.querySelector("[data-full]");
  full.hidden = chosen.size <= room;
  full.textContent = `The selection has room for ${room} more: labels hold any number.`;
  for (const button of bar.querySelectorAll("[data-adds]")) button.disabled = chosen.size > room;
};
const isChosen = (link) => chosen.has(sha256Of(link));
const range = (from, to) => {
  const all = pictures();
  const ends = [all.indexOf(from), all.indexOf(to)].sort((one, other) => one - other);
  return all.slice(ends[0], ends[1] + 1);
};
const toggle = (link) => {
  anchor = link;
  ranged = [];
  choose([link], !isChosen(link));
};
const chooseTo = (link) => {
  anchor ??= link;
  choose(ranged, false);
  ranged = range(anchor, link).filter((one) => !isChosen(one));
  choose(ranged, true);
};
const forget = () => {
  // The bar goes away: the keyboard is not left in it.
  if (bar.contains(document.activeElement)) anchor?.focus({ preventScroll: true });
  choose(pictures(), false);
  anchor = undefined;
  ranged = [];
};

// Each picture gets a mark to choose it with, once a pointer or the keyboard comes to it; on a screen that is touched all have it.
const mark = (link) => {
  if (!bar || link.parentElement.querySelector(".pick")) return;
  const button = element("button", { class: "pick", type: "button", tabindex: "-1", "aria-pressed": String(isChosen(link)), "aria-label": `Choose ${link.querySelector("img").alt}` });
  link.after(button);
};
if (gallery && bar) {
  for (const name of ["pointerover", "focusin"]) {
    gallery.addEventListener(name, (event) => {
      const link = event.target.closest("li")?.querySelector("a");
      if (link) mark(link);
    });
  }
  const markAll = () => pictures().forEach(mark);
  if (matchMedia("(pointer: coarse)").matches) {
    markAll();
    new MutationObserver(markAll).observe(gallery, { childList: true });
  }
  gallery.addEventListener("click", (event) => {
    const link = event.target.closest("li")?.querySelector("a");
    if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey) {
      event.preventDefault();
      chooseTo(link);
      link.focus();
    } else if (event.target.closest(".pick")) {
      toggle(link);
      link.focus();
    }
  });
  bar.addEventListener("reset", (event) => {
    event.preventDefault();
    forget();
  });
  // The page stays where it is: what was chosen is said and forgotten, and the masthead counts it.
  bar.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData(bar);
    for (const sha256 of chosen) body.append("sha256", sha256);
    const response = await fetch(event.submitter.getAttribute("formaction") ?? bar.action, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
    const answer = await response?.json().catch(() => null);
    if (!response?.ok || !answer) {
      const problem = bar.querySelector("[data-full]");
      problem.textContent = answer?.error?.message ?? "The hub could not be reached: nothing was changed.";
      problem.hidden = false;
      return;
    }
    said.hidden = false;
    said.replaceChildren(
      `${event.submitter.dataset.done}: ${chosen.size === 1 ? "1 picture" : `${chosen.size} pictures`}.`,
      element("a", { href: bar.dataset.selection }, "See the selection"),
    );
    bar.dataset.room = answer.room;
    const badge = document.querySelector("[data-selected]");
    badge.textContent = answer.selected;
    badge.hidden = !answer.selected;
    forget();
  });
}

document.addEventListener("keydown", (event) => {
  if (!gallery || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  // A page may have another gallery further down.
  const here = gallery.contains(event.target) ? event.target.closest("li")?.querySelector("a") : undefined;
  // Of a field or a menu, Escape closes what is open there.
  const isElsewhere = event.target.closest("input, select, textarea, details");
  if (event.key === "Escape" && chosen.size && !isElsewhere) return forget();
  if (!here) {
    // From the page itself, an arrow to the side goes to the first picture that is in sight.
    if (event.key !== "ArrowRight" || !(event.target === document.body || event.target.id === "content")) return;
    const first = pictures().find((link) => link.getBoundingClientRect().top >= 0);
    if (first) event.preventDefault();
    first?.focus();
    return;
  }
  if (event.key.startsWith("Arrow")) {
    const next = neighbour(here, event.key);
    if (!next) return;
    event.preventDefault();
    if (event.shiftKey && bar) {
      anchor ??= here;
      chooseTo(next);
    }
    next.focus();
  } else if (event.key === " " && bar) {
    event.preventDefault();
    if (event.shiftKey) chooseTo(here);
    else toggle(here);
  }
});
