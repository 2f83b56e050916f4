// The page of a batch that waits for intake follows by itself, while somebody looks at it. Without this file it is loaded again by hand.
"use strict";

const live = document.querySelector("[data-live][data-progress-of]");
if (live) {
  const EVERY_MS = 3000;
  const follow = async () => {
    if (!document.hidden) {
      const response = await fetch(live.dataset.progressOf, { headers: { Accept: "application/json" } }).catch(() => null);
      const batch = response?.ok ? await response.json() : null;
      if (batch && batch.status !== live.dataset.status) {
        const page = await fetch(location.href).catch(() => null);
        if (page?.ok) {
          const fresh = new DOMParser().parseFromString(await page.text(), "text/html").querySelector("[data-live]");
          live.replaceChildren(...fresh.childNodes);
          document.querySelector("[data-decided]").textContent = "Intake has decided on this batch.";
          return;
        }
      }
    }
    setTimeout(follow, EVERY_MS);
  };
  setTimeout(follow, EVERY_MS);
}
