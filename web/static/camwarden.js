// What script adds; every page works without it. Text goes in as text, never as markup.

const STEPS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

function relative(date) {
  const seconds = (date - Date.now()) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return "just now";
}

function tellTimes() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    time.title ||= time.textContent;
    time.textContent = relative(new Date(time.dateTime));
  }
}

function setTheme(form) {
  form.addEventListener("submit", (event) => {
    if (!event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${theme}; Path=/; SameSite=Lax; Max-Age=31536000${secure}`;
    document.documentElement.dataset.theme = theme;
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button === event.submitter));
    }
  });
}

// Only boxes of this page exist, so only they can be selected: the count says so beside what matches.
function countSelection(form) {
  const all = form.querySelector("[data-select-all]");
  const count = form.querySelector("[data-count]");
  if (!all || !count) return;
  const boxes = [...form.querySelectorAll("input[name=id]")];
  const tell = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    count.textContent = `${chosen} selected of ${count.dataset.matching} matching (${count.dataset.everything} in all)`;
    for (const button of form.querySelectorAll("button[name=action]")) button.disabled = chosen === 0;
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  form.addEventListener("change", tell);
  window.addEventListener("pageshow", tell);
  tell();
}

function show(section, now) {
  for (const place of section.querySelectorAll("[data-scan]")) {
    const name = place.dataset.scan;
    if (name === "bar") {
      place.max = now.total || 1;
      place.value = now.done;
    } else if (place.textContent !== String(now[name])) {
      place.textContent = String(now[name]);
    }
  }
}

// Out of reach, refused, or just being started anew: the page stays until somebody answers, and is then asked for again.
function comeBack() {
  setTimeout(async () => {
    const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
    if (answer?.ok) location.reload();
    else comeBack();
  }, 3000);
}

function followScan(section) {
  const source = new EventSource(section.dataset.scanEvents);
  source.addEventListener("message", (event) => {
    const now = JSON.parse(event.data);
    show(section, now);
    if (now.state !== section.dataset.scanState) {
      source.close();
      location.reload();
    }
  });
  source.addEventListener("error", () => {
    source.close();
    comeBack();
  });
}

// The same page as it is now, asked for again. Parsed by the browser itself: Trusted Types leave text no other way in.
function askAgain() {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.addEventListener("loadend", () => resolve(request.status === 200 ? request.response : null));
    request.send();
  });
}

// Takes over the moving parts; what somebody has unfolded stays so, and where somebody types nothing moves.
function takeOver(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(part.id);
    const active = part.contains(document.activeElement) ? document.activeElement : null;
    if (!now || active?.matches("input, textarea, select") || part.isEqualNode(now)) continue;
    for (const folded of now.querySelectorAll("details[id]")) {
      folded.open = document.getElementById(folded.id)?.open ?? folded.open;
    }
    part.replaceWith(document.adoptNode(now));
    if (active?.id) document.getElementById(active.id)?.focus();
  }
  document.title = fresh.title;
  tellTimes();
}

function followJob(place) {
  const source = new EventSource(place.dataset.jobEvents);
  let due = false;
  let busy = false;
  const look = async () => {
    due = true;
    if (busy) return;
    busy = true;
    while (due) {
      due = false;
      const fresh = await askAgain();
      if (fresh) takeOver(fresh);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    busy = false;
  };
  source.addEventListener("message", (event) => {
    place.textContent = JSON.parse(event.data).said;
    look();
  });
  source.addEventListener("end", () => {
    source.close();
    look();
  });
  source.addEventListener("error", () => {
    source.close();
    comeBack();
  });
}

// A file that is chosen is read into the field, where it can be looked at before it is sent.
function readInto(place) {
  const field = document.getElementById(place.dataset.readInto);
  const input = place.querySelector("input[type=file]");
  if (!field || !input) return;
  place.hidden = false;
  input.addEventListener("change", async () => {
    if (!input.files.length) return;
    field.value = await input.files[0].text();
    const choice = document.getElementById(place.dataset.picks);
    if (choice) choice.checked = true;
  });
}

// The code on a label, read from a photo that never leaves this device. Where the browser cannot, one types.
function scanLabel(form) {
  const place = form.querySelector("[data-scan-label]");
  const field = form.querySelector("[data-label]");
  if (!place || !field || !("BarcodeDetector" in window)) return;
  const input = place.querySelector("input[type=file]");
  place.hidden = false;
  input.addEventListener("change", async () => {
    if (!input.files.length) return;
    try {
      const [code] = await new BarcodeDetector().detect(await createImageBitmap(input.files[0]));
      if (code) field.value = code.rawValue.slice(0, 200);
      else field.placeholder = "No code found in the photo: type it";
    } catch {
      field.placeholder = "This photo cannot be read: type it";
    }
    field.focus();
  });
}

// The slider uncovers the reference from the left; the two buttons do the same in one step.
function comparePictures(box) {
  const slide = box.querySelector("[data-slide]");
  const range = slide?.querySelector("input");
  if (!range) return;
  const show = () => box.style.setProperty("--part", `${range.value}%`);
  slide.hidden = false;
  box.classList.add("sliding");
  range.addEventListener("input", show);
  for (const side of box.querySelectorAll("input[type=radio]")) {
    side.addEventListener("change", () => {
      range.value = side.id === "side-reference" ? 100 : 0;
      show();
    });
  }
  show();
}

// The field above every page: answers while one types, and the pages of the side bar. Without script it is a plain form.
const FOUND_AT = {
  camera: (id) => `/devices/${id}`,
  finding: (id) => `/findings/${id}`,
  site: (id) => `/devices?site=${encodeURIComponent(id)}`,
  person: (id) => `/settings/people?person=${id}#person-${id}`,
  plan: (id) => `/plans/${id}`,
  rollout: (id) => `/rollouts/${id}`,
  scan: (id) => `/scans/${id}`,
};

function pagesNamed(text) {
  return [...document.querySelectorAll(".side li a")]
    .map((link) => ({ title: link.textContent.trim(), detail: "page", href: link.href }))
    .filter((page) => page.title.toLowerCase().includes(text.toLowerCase()));
}

async function answersTo(text, signal) {
  if (!text) return [];
  const answer = await fetch(`/api/v1/search?q=${encodeURIComponent(text)}`, { signal });
  if (!answer.ok) return [];
  const { hits } = await answer.json();
  return hits.map((hit) => ({ title: hit.title, detail: `${hit.kind}: ${hit.detail}`, href: FOUND_AT[hit.kind](hit.id) }));
}

function optionFor(found, number) {
  const option = document.createElement("li");
  option.id = `palette-${number}`;
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  option.dataset.href = found.href;
  const detail = document.createElement("span");
  detail.className = "sub";
  detail.textContent = found.detail;
  option.append(found.title, detail);
  return option;
}

function makePalette(form) {
  const input = form.querySelector("input");
  const list = document.createElement("ul");
  list.id = "palette";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Answers");
  form.append(list);
  const said = { role: "combobox", "aria-controls": list.id, "aria-expanded": "false", "aria-autocomplete": "list" };
  for (const [name, value] of Object.entries(said)) input.setAttribute(name, value);
  let at = -1;
  let asking = new AbortController();

  const show = (found) => {
    at = -1;
    list.replaceChildren(...found.slice(0, 20).map(optionFor));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
  };
  const close = () => {
    asking.abort();
    show([]);
  };
  const move = (step) => {
    const options = list.children;
    options[at]?.setAttribute("aria-selected", "false");
    at = at < 0 && step < 0 ? options.length - 1 : (at + step + options.length) % options.length;
    options[at].setAttribute("aria-selected", "true");
    options[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[at].id);
  };
  input.addEventListener("input", async () => {
    asking.abort();
    const mine = (asking = new AbortController());
    await new Promise((resolve) => setTimeout(resolve, 150));
    if (mine.signal.aborted) return;
    const text = input.value.trim();
    const found = await answersTo(text, mine.signal).catch(() => []);
    if (!mine.signal.aborted) show([...pagesNamed(text), ...found]);
  });
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (steps[event.key] && !list.hidden) {
      event.preventDefault();
      move(steps[event.key]);
    } else if (event.key === "Enter" && list.children[at]) {
      event.preventDefault();
      location.href = list.children[at].dataset.href;
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault(); // a second one empties the field, as browsers do
      close();
    }
  });
  list.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.href = option.dataset.href;
  });
  input.addEventListener("blur", close);
}

function openPalette(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
  const field = document.getElementById("search");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
  field.dispatchEvent(new Event("input"));
}

function focusSearch(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.getElementById("q") ?? document.getElementById("search");
  if (!search) return;
  event.preventDefault();
  search.focus();
}

// The browser knows where it is; whoever sets up a place elsewhere types over it.
for (const field of document.querySelectorAll("[data-zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
}

tellTimes();
setInterval(tellTimes, 30000);
document.addEventListener("keydown", focusSearch);
document.addEventListener("keydown", openPalette);
document.querySelectorAll("[data-palette]").forEach(makePalette);
document.querySelectorAll("[data-themes]").forEach(setTheme);
document.querySelectorAll("[data-selection]").forEach(countSelection);
document.querySelectorAll("[data-scan-events]").forEach(followScan);
document.querySelectorAll("[data-job-events]").forEach(followJob);
document.querySelectorAll("[data-read-into]").forEach(readInto);
document.querySelectorAll("[data-label-form]").forEach(scanLabel);
document.querySelectorAll("[data-compare]").forEach(comparePictures);

// A password is copied by a button; without script its field is selected by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = "Copied";
  });
}
