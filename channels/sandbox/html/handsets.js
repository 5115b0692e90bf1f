"use strict";
// Brings what changed into the page every two seconds. Without it the page works the same, by looking again.
(() => {
  const EVERY = 2000;

  // What somebody is typing in or has opened stays as it is.
  const inUse = (element) =>
    element.contains(document.activeElement) ||
    [...element.querySelectorAll("input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);

  const bringItems = (list, fresh) => {
    const old = new Map([...list.children].map((item) => [item.dataset.key, item]));
    [...fresh.children].forEach((item, index) => {
      const before = old.get(item.dataset.key);
      old.delete(item.dataset.key);
      const keep = before && (before.dataset.version === item.dataset.version || inUse(before));
      const chosen = keep ? before : document.adoptNode(item);
      if (before && !keep) before.replaceWith(chosen);
      if (list.children[index] !== chosen) list.insertBefore(chosen, list.children[index] || null);
    });
    old.forEach((item) => item.remove());
  };

  const bring = (fresh) => {
    const atEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 40;
    document.querySelectorAll("[data-live]").forEach((place) => {
      const next = fresh.getElementById(place.id);
      if (!next) return;
      if (place.matches("ol, ul")) bringItems(place, next);
      else if (place.textContent !== next.textContent && !inUse(place)) place.replaceChildren(...next.childNodes);
    });
    if (atEnd) window.scrollTo(0, document.body.scrollHeight);
  };

  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(location.pathname, { redirect: "error" });
        if (answer.ok) bring(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch {
        // The carrier is being started again, or is gone: the page stays as it was.
      }
    }
    setTimeout(look, EVERY);
  };

  if (document.querySelector("[data-live]#list, [data-live]#talk")) setTimeout(look, EVERY);
})();
