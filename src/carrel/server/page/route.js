/** Which thread the address names: `#/threads/{thread_id}`, or none for a new one. */

const PATTERN = /^#\/threads\/([^/]+)$/;

export function currentThread() {
  const match = PATTERN.exec(location.hash);
  return match === null ? null : decodeURIComponent(match[1]);
}

/** Show another thread; `replace` when going back to where we are now makes no sense. */
export function goTo(threadId, { replace = false } = {}) {
  const hash = threadId === null ? "#/" : `#/threads/${encodeURIComponent(threadId)}`;
  if (hash === location.hash || (threadId === null && currentThread() === null)) return;
  history[replace ? "replaceState" : "pushState"](null, "", hash);
  dispatchEvent(new Event("carrel:route"));
}

export function onRoute(listener) {
  for (const name of ["carrel:route", "popstate"]) addEventListener(name, () => listener(currentThread()));
}
