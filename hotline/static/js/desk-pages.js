// The desk changes its pages without unloading the document: a telephone that lives in the page (the carrier's own
// library) hangs up with it, and any other falls silent for a breath. Links and plain forms under /desk are sent as the
// browser would send them; of the page that answers #main, #dialogs, the bar and the toasts are taken over, and the
// header with the headset stays. The server knows nothing of this. What leads out of the desk is loaded, and without
// script everything is.
(() => {
  "use strict";
  const PATIENCE_MS = 30000;
  const body = document.body;
  const main = () => document.getElementById("main");
  const ours = (url) => url.origin === location.origin && /^\/desk(\/|$)/.test(url.pathname);
  const page = (url) => url.pathname + url.search;
  const calling = () => Boolean(document.querySelector("#headset[data-in-call]"));
  const programs = (doc) => [...doc.head.querySelectorAll("script[src], link[rel=stylesheet]")]
    .map((node) => node.getAttribute("src") || node.getAttribute("href")).join();
  const version = programs(document);
  const leaving = [];            // asked before a page is left: whether it may be
  let shown = page(location);    // the page on the screen
  let queue = Promise.resolve(), moves = 0;

  const put = (html, fresh, whole) => {
    window.htmx.swap(main(), html, { swapStyle: "outerHTML", ignoreTitle: true }, {
      select: "#main",
      selectOOB: `${whole ? "#bar:innerHTML,#dialogs:outerHTML," : ""}#toasts:beforeend`,
    });
    if (whole) {
      body.className = fresh.body.className;
      for (const name of ["data-live", "hx-headers"]) body.setAttribute(name, fresh.body.getAttribute(name));
    } else {
      document.getElementById("dialogs").replaceChildren();
    }
    document.title = fresh.title;
    window.scrollTo(0, 0);
    document.getElementById("page-said").textContent = fresh.title;  // as a page that is loaded says its name
    const wrong = main().querySelector("[aria-invalid=true]");
    if (wrong) wrong.focus();
    else if (document.activeElement === body) main().focus({ preventScroll: true });
    body.dispatchEvent(new CustomEvent("page"));
  };

  const move = async (url, { data = null, push = true } = {}) => {
    main().setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, {
        ...(data && { method: "POST", body: data }),
        headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const at = new URL(answer.url), stands = !data || answer.redirected;  // a page that may be loaded again
      const html = await answer.text();
      const fresh = new DOMParser().parseFromString(html, "text/html");
      const whole = Boolean(fresh.getElementById("bar"));
      // a newer desk, or none at all; a fault is said here: loading it would ask for it again and drop what stands beside
      const stale = whole ? programs(fresh) !== version : stands && answer.status < 500;
      if (!ours(at) || !fresh.getElementById("main") || stale && stands && !calling()) { location.assign(at); return true; }
      put(html, fresh, whole);
      if (stands) {
        if (push && page(at) !== page(location)) history.pushState(null, "", at);
        shown = page(at);
      }
      return true;
    } catch (fault) {
      window.hotline.say(fault.name === "TimeoutError" ? "服务器没有及时回应，请看清结果后再试。" : "连不上服务器，刚才的操作没有送出，请稍后再试。");
      body.dispatchEvent(new CustomEvent("page-failed"));
      return false;
    } finally {
      main().removeAttribute("aria-busy");
    }
  };
  // one after the other: what was sent off is waited for, whatever is asked for meanwhile
  const visit = (href, how = {}) => {
    moves += 1;
    queue = queue.then(async () => {
      for (const may of leaving) if (!await may()) return false;
      return move(new URL(href, location.href), how);
    }).finally(() => { moves -= 1; });
    return queue;
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.href);
    if (!ours(url) || link.target || link.hasAttribute("download") || url.hash && page(url) === page(location)) return;
    event.preventDefault();
    visit(url);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (event.defaultPrevented || form.method === "dialog") return;
    const url = new URL(button?.getAttribute("formaction") || form.getAttribute("action") || "", location.href);
    if (!ours(url) || form.target) return;
    event.preventDefault();
    const data = new URLSearchParams(new FormData(form, button));
    if (form.method === "get") { url.search = data; visit(url); return; }
    visit(url, { data }).finally(() => { delete form.dataset.sent; });
  });
  window.addEventListener("popstate", async () => {
    if (page(location) === shown) return;
    if (!await visit(location.href, { push: false })) history.pushState(null, "", shown);
  });
  // where the server leads whoever asked for a part
  const ledTo = (xhr) => {
    const to = xhr.getResponseHeader("HX-Redirect");
    return to && ours(new URL(to, location.href)) ? to : null;
  };
  body.addEventListener("htmx:beforeOnLoad", (event) => {
    const to = ledTo(event.detail.xhr);
    if (!to) return;
    event.preventDefault();
    visit(to);
  });
  // what asked may have gone with its page meanwhile: its events reach nobody, and htmx would load the document.
  // What it did counts, what it only wanted to show does not
  body.addEventListener("htmx:beforeSend", ({ detail: { elt, xhr, requestConfig } }) => {
    const load = xhr.onload;
    xhr.onload = (event) => {
      const to = elt.isConnected ? null : ledTo(xhr);
      if (!to) load.call(xhr, event);
      else if (requestConfig.verb !== "get") visit(to);
    };
  });

  window.hotline = Object.assign(window.hotline || {}, {
    visit,
    moving: () => moves > 0,
    beforeLeaving: (may) => leaving.push(may),
  });
})();
