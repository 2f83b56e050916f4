// Review at a picture a second: the next picture is fetched before it is wanted and shown at once, decisions are sent meanwhile and in
// order. The page's own forms are what is sent; without this file they work by themselves. `element` comes from portal.js.
"use strict";

const review = document.querySelector("[data-review]");
if (review) {
  const message = document.querySelector("[data-message]");
  const refuse = review.querySelector("[data-refuse]");
  const relabel = review.querySelector("#relabel");
  const skip = review.querySelector("[data-skip]");
  const undo = review.querySelector("[data-undo]");
  const latest = document.querySelector("[data-latest]");
  let sending = Promise.resolve();
  let busy = false;
  let next;

  // Resolves to the picture after an address's, its pictures loading already; null when there is none.
  const fetchNext = async (address) => {
    const url = new URL(address, location.href);
    url.searchParams.set("part", "1");
    const response = await fetch(url);
    if (!response.ok) throw new Error(response.statusText);
    if (response.status === 204) return null;
    const part = document.adoptNode(new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-part]"));
    // A picture in review is in no cache: the very element that loads now is the one that is shown.
    for (const image of part.querySelectorAll("img")) image.src = image.getAttribute("src");
    await part.querySelector("img").decode().catch(() => null);
    return part;
  };
  const say = (...words) => {
    message.replaceChildren(...words);
    message.hidden = !words.length;
  };
  const prefetch = () => {
    next = fetchNext(skip.href);
    next.catch(() => null);
  };
  const show = (part) => {
    // What is inside is exchanged, so that the title stays the live region of which changes are read out.
    for (const fresh of part.querySelectorAll("[data-swap]")) review.querySelector(`[data-swap="${fresh.dataset.swap}"]`).replaceChildren(...fresh.childNodes);
    for (const field of review.querySelectorAll("input[name=submission_id]")) field.value = part.dataset.submission;
    skip.href = part.dataset.following;
    history.replaceState(null, "", part.dataset.here);
    prefetch();
  };
  const advance = async () => {
    refuse.open = false;
    relabel.value = "";
    document.activeElement?.blur();
    busy = true;
    review.setAttribute("aria-busy", "true");
    try {
      const part = await next;
      if (part) show(part);
      else {
        await sending;
        location.assign(skip.href);
      }
    } catch {
      await sending;
      location.assign(skip.href);
    }
    review.removeAttribute("aria-busy");
    busy = false;
  };
  // Sends a form as it is now. Resolves to whether it was taken.
  const send = (form, submitter) => {
    const body = new FormData(form, submitter);
    const here = location.href;
    const sent = sending.then(async () => {
      const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
      const answer = await response?.json().catch(() => null);
      if (response?.ok && answer) {
        say();
        for (const badge of document.querySelectorAll("[data-waiting]")) {
          badge.textContent = answer.waiting > 999 ? "999+" : String(answer.waiting);
          badge.hidden = !answer.waiting;
        }
        document.querySelector("[data-waiting-here]").textContent = answer.in_review > 999 ? "999+" : String(answer.in_review);
        undo.hidden = latest.hidden = !answer.latest;
        undo.querySelector("[name=change_id]").value = answer.latest?.change_id ?? "";
        latest.querySelector("span").textContent = answer.latest?.words ?? "";
        return true;
      }
      say(answer?.error?.message ?? "The hub could not be reached: this decision was not taken.", " ", element("a", { href: here }, "Back to that picture"));
      return false;
    });
    sending = sent;
    return sent;
  };

  review.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form === undo) {
      event.preventDefault();
      await sending;
      return HTMLFormElement.prototype.submit.call(form);
    }
    if (!form.dataset.decision) return;
    event.preventDefault();
    if (busy) return;
    const taken = send(form, event.submitter);
    // A label may not be found: the picture stays until it is.
    if (form.dataset.decision === "relabel") {
      busy = true;
      const wasTaken = await taken;
      busy = false;
      if (!wasTaken) return;
    }
    advance();
  });
  skip.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!busy) advance();
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === "Escape" && refuse.open) return (refuse.open = false);
    if (event.target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    const reasons = refuse.querySelectorAll("button");
    if (refuse.open && reasons[Number(event.key) - 1]) return reasons[Number(event.key) - 1].click();
    const act = {
      a: () => review.querySelector("[data-decision=accept] button").click(),
      r: () => {
        refuse.open = true;
        reasons[0].focus();
      },
      l: () => relabel.focus(),
      s: () => skip.click(),
      ArrowRight: () => skip.click(),
      u: () => !undo.hidden && undo.requestSubmit(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  prefetch();
}
