// Parts marked data-live are replaced whenever the server says that there is something new. Without this script a page shows the
// state of the moment it was loaded.
(() => {
  const parts = () => document.querySelectorAll("[data-live]");
  if (parts().length === 0) return;
  const source = new EventSource("/live");
  let busy = false;
  source.onmessage = async () => {
    if (busy || document.hidden) return;
    busy = true;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok || response.redirected) return;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      for (const part of parts()) {
        const next = fresh.getElementById(part.id);
        // What somebody is using stays as it is.
        if (next && !part.contains(document.activeElement)) part.replaceChildren(...next.childNodes);
      }
    } finally {
      busy = false;
    }
  };
  addEventListener("pagehide", () => source.close());
})();
