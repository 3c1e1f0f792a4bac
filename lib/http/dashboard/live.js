// Keeps the dashboard up: fetches its parts again and puts in those that changed.
const PERIOD = 2000;

async function refresh() {
  const response = await fetch("live" + location.search, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(response.statusText);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (next === null || next.innerHTML === part.innerHTML) continue;
    const at = part.querySelector(".table");
    const focused = at !== null && at === document.activeElement;
    const [x, y] = [at?.scrollLeft ?? 0, at?.scrollTop ?? 0];
    part.innerHTML = next.innerHTML;
    const now = part.querySelector(".table");
    now?.scrollTo(x, y);
    if (focused) now?.focus({ preventScroll: true });
  }
}

async function keepUp() {
  try {
    if (!document.hidden) await refresh();
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
  }
  setTimeout(keepUp, PERIOD);
}

setTimeout(keepUp, PERIOD);
