// Sending photographs: each by itself, in pieces, so that it goes on where it was cut off, after a reload too. What has come is what
// the server says; a photograph that is chosen again is known by name and size. Without this file the form sends all of them at once.
// `element` comes from portal.js.
"use strict";

const sending = document.querySelector("[data-send]");
if (sending) {
  const PIECE_BYTES = 1 << 20;
  const AT_ONCE = 3;
  // Between tries while the hub cannot be reached; coming back online ends a pause.
  const PAUSES_MS = [500, 1000, 2000, 4000, 8000, 15000, 30000, 30000, 30000, 30000];
  const MAX_TURNS_BACK = 20;

  const find = (name) => sending.querySelector(`[data-${name}]`);
  const begin = find("begin");
  const finish = find("finish");
  const list = find("rows");
  const template = find("template");
  const problem = find("problem");
  const summary = find("summary");
  const token = sending.querySelector("[name=csrf_token]").value;
  const rows = [];
  const waiting = [];
  let filesUrl = sending.dataset.filesUrl;
  let active = 0;
  let hasSent = false;

  const length = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
  const photographs = (count) => `${count.toLocaleString("en")} photograph${count === 1 ? "" : "s"}`;
  const say = (words) => {
    problem.textContent = words;
    problem.hidden = !words;
  };

  // --- rows ---

  const show = (row, state, words) => {
    row.state = state;
    row.element.className = `on-its-way ${state}`;
    row.says.textContent = words;
    row.bar.hidden = state !== "arriving";
    row.again.hidden = state !== "failed";
    row.actions.hidden = state === "arriving" && Boolean(row.file) && Boolean(filesUrl);
  };
  const rowOf = (node) => {
    const image = node.querySelector("img");
    // What is no picture has none to show.
    image.addEventListener("error", () => (image.hidden = true));
    const part = (name) => node.querySelector(`[data-${name}]`);
    const row = { element: node, says: part("says"), bar: node.querySelector("progress"), actions: part("actions"), again: part("again"), offset: 0 };
    part("leave-out").addEventListener("click", () => leaveOut(row));
    row.again.addEventListener("click", () => queue(row));
    rows.push(row);
    return row;
  };
  const attach = (row, file) => {
    row.file = file;
    const image = row.element.querySelector("img");
    image.loading = "lazy";
    image.decoding = "async";
    image.src = URL.createObjectURL(file);
    image.hidden = false;
  };
  const addRow = (file) => {
    const node = template.content.firstElementChild.cloneNode(true);
    list.append(node);
    const row = rowOf(node);
    row.name = file.name;
    row.size = file.size;
    node.querySelector("[data-filename]").textContent = file.name;
    row.bar.setAttribute("aria-label", file.name);
    node.querySelector("[data-leave-out]").setAttribute("aria-label", `Leave out ${file.name}`);
    row.again.setAttribute("aria-label", `Try again with ${file.name}`);
    attach(row, file);
    show(row, "chosen", length(file.size));
    return row;
  };
  const answered = (row, answer) => {
    row.offset = answer.received_bytes;
    row.bar.value = row.size ? row.offset / row.size : 0;
    const words = {
      arriving: `${length(row.offset)} of ${length(row.size)} arrived`,
      arrived: "Arrived",
      good: "Arrived, looks good",
      doubtful: `Arrived, but probably refused: ${answer.words}`,
    };
    show(row, answer.state, words[answer.state]);
    // What asks for a decision is seen first.
    if (answer.state === "doubtful" && !row.element.contains(document.activeElement)) list.prepend(row.element);
  };

  // --- asking the hub ---

  const pause = (ms) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      addEventListener("online", () => (clearTimeout(timer), resolve()), { once: true });
    });
  // Resolves to the first answer that is one: while the hub cannot be reached, or cannot say, it is asked again.
  const ask = async (url, options = {}) => {
    const headers = { Accept: "application/json", "X-CSRFToken": token, ...options.headers };
    for (const ms of [...PAUSES_MS, null]) {
      const response = await fetch(url, { ...options, headers }).catch(() => null);
      if (response && response.status < 500) {
        if (response.ok) return response;
        const answer = await response.json().catch(() => null);
        throw new Error(answer?.error?.message ?? `The hub answered ${response.status}.`);
      }
      if (ms !== null) await pause(ms);
    }
    throw new Error("The hub cannot be reached. What has arrived is kept.");
  };
  // Sends one piece, and resolves to the status of the answer; 0: there was none.
  const sendPiece = (row) =>
    new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("PATCH", row.url);
      request.setRequestHeader("Content-Type", "application/offset+octet-stream");
      request.setRequestHeader("Tus-Resumable", "1.0.0");
      request.setRequestHeader("Upload-Offset", String(row.offset));
      request.setRequestHeader("X-CSRFToken", token);
      request.setRequestHeader("Accept", "application/json");
      request.upload.addEventListener("progress", (event) => {
        const sent = Math.min(row.offset + event.loaded, row.size);
        row.bar.value = sent / row.size;
        show(row, "arriving", `${length(sent)} of ${length(row.size)} sent`);
      });
      request.addEventListener("loadend", () => {
        if (request.status === 204) row.offset = Number(request.getResponseHeader("Upload-Offset"));
        resolve(request.status);
      });
      request.send(row.file.slice(row.offset, row.offset + PIECE_BYTES));
    });
  const encoded = (words) => btoa(String.fromCharCode(...new TextEncoder().encode(words)));
  const digest = async (file) => {
    // There is none on pages that came without TLS from another machine: then name and size say which file it is.
    if (!crypto.subtle) return null;
    const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const announce = async (row) => {
    const sha256 = await digest(row.file);
    const said = { filename: row.name, ...(sha256 && { sha256 }) };
    const metadata = Object.entries(said).map(([name, value]) => `${name} ${encoded(value)}`);
    const headers = { "Tus-Resumable": "1.0.0", "Upload-Length": String(row.size), "Upload-Metadata": metadata.join(",") };
    const response = await ask(filesUrl, { method: "POST", headers });
    row.url = response.headers.get("Location");
    answered(row, await response.json());
  };
  const send = async (row) => {
    show(row, "arriving", "Waits");
    if (row.url) answered(row, await (await ask(row.url)).json());
    else await announce(row);
    let turnsBack = 0;
    while (row.state === "arriving") {
      const status = await sendPiece(row);
      if (status === 204 && row.offset < row.size) {
        answered(row, { state: "arriving", received_bytes: row.offset });
        continue;
      }
      // Cut off, sent elsewhere meanwhile, or whole: the hub knows.
      if (status !== 204) {
        if (turnsBack === MAX_TURNS_BACK) throw new Error("It cannot be sent now. What has arrived is kept.");
        await pause(PAUSES_MS[Math.min(turnsBack++, PAUSES_MS.length - 1)]);
      }
      answered(row, await (await ask(row.url)).json());
    }
  };

  // --- the whole of it ---

  const settle = () => {
    const left = rows.filter((row) => !["good", "doubtful", "arrived"].includes(row.state));
    const doubtful = rows.filter((row) => row.state === "doubtful").length;
    const arrived = rows.length - left.length;
    if (!filesUrl) {
      if (begin) find("submit").textContent = rows.length ? `Send ${photographs(rows.length)}` : "Send";
      return;
    }
    summary.hidden = false;
    const soFar = `${arrived.toLocaleString("en")} of ${photographs(rows.length)} arrived${doubtful ? `, ${doubtful} probably refused` : ""}`;
    if (summary.textContent !== soFar) summary.textContent = soFar;
    finish.querySelector("[data-so-far]").textContent = soFar;
    const missing = find("missing");
    if (missing && !left.length) missing.hidden = true;
    const isQuiet = !active && !waiting.length;
    // The bar stays in sight however many photographs there are: it says how far it is, and then asks.
    finish.hidden = !rows.length || (isQuiet && !arrived);
    const all = finish.querySelector("[data-all]");
    all.hidden = !arrived || !isQuiet;
    all.textContent = left.length ? "Finish without what is missing" : doubtful ? "Send all the same" : "Finish";
    all.value = left.length ? "arriving" : "none";
    finish.querySelector("input[name=leave_out]")?.remove();
    const without = finish.querySelector("[data-without]");
    without.hidden = all.hidden || !doubtful || doubtful === arrived || left.length > 0;
    without.textContent = `Leave out ${photographs(doubtful)}`;
    if (hasSent && isQuiet && arrived && !left.length && !doubtful) {
      hasSent = false;
      finish.requestSubmit(all);
    }
  };
  const work = () => {
    while (active < AT_ONCE && waiting.length) {
      const row = waiting.shift();
      active++;
      hasSent = true;
      send(row)
        .catch((error) => show(row, "failed", error.message))
        .finally(() => {
          active--;
          work();
        });
    }
    settle();
  };
  const queue = (row) => {
    show(row, "arriving", "Waits");
    waiting.push(row);
    work();
  };
  const leaveOut = async (row) => {
    say("");
    if (row.url) {
      try {
        await ask(row.url, { method: "DELETE" });
      } catch (error) {
        return say(error.message);
      }
    }
    URL.revokeObjectURL(row.element.querySelector("img").src);
    rows.splice(rows.indexOf(row), 1);
    row.element.remove();
    settle();
  };
  const take = (files) => {
    const refused = [];
    for (const file of files) {
      const same = rows.find((row) => row.name === file.name && row.size === file.size);
      if (file.size > Number(sending.dataset.maxBytes)) refused.push(`${file.name} has ${length(file.size)}, and at most ${length(Number(sending.dataset.maxBytes))} are taken.`);
      else if (!file.size) refused.push(`${file.name} is empty.`);
      else if (same) {
        if (same.file) continue;
        attach(same, file);
        if (same.state === "arriving") queue(same);
      } else if (rows.length >= Number(sending.dataset.maxPhotographs)) refused.push(`${file.name}: there are ${photographs(rows.length)} already. Send it with the next ones.`);
      else {
        const row = addRow(file);
        if (filesUrl) queue(row);
      }
    }
    say(refused.join(" "));
    settle();
  };

  for (const node of list.querySelectorAll("[data-row]")) {
    const row = rowOf(node);
    Object.assign(row, { url: node.dataset.url, name: node.dataset.name, size: Number(node.dataset.size), state: node.dataset.state });
    row.actions.hidden = false;
  }
  for (const input of sending.querySelectorAll("[data-photographs]")) {
    input.addEventListener("change", () => {
      take([...input.files]);
      // The same photograph may be chosen again.
      input.value = "";
    });
  }
  const drop = find("drop");
  for (const name of ["dragenter", "dragover"]) {
    drop?.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) drop?.addEventListener(name, () => drop.classList.remove("over"));
  drop?.addEventListener("drop", (event) => {
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  begin?.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!rows.length) return say("Choose at least one photograph first.");
    const button = find("submit");
    button.disabled = true;
    const body = new FormData(begin);
    body.delete("photographs");
    try {
      const upload = await (await ask(begin.action, { method: "POST", body })).json();
      say("");
      filesUrl = upload.files_url;
      finish.action = `${upload.url}/finish`;
      // Whoever loads the page again finds this upload and not an empty form.
      history.replaceState(null, "", upload.url);
      find("terms").hidden = true;
      find("other-label").hidden = true;
      begin.classList.remove("columns");
      rows.forEach(queue);
    } catch (error) {
      say(error.message);
      problem.scrollIntoView({ block: "center" });
    }
    button.disabled = false;
  });
  const more = find("more");
  if (more) more.hidden = false;
  sending.dataset.ready = "";
  settle();
}
