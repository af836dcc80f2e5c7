// Keeps the empty report form and the files it is made of, so that it opens where there is no network. Pages with an
// order, a name or a number on them always come from the server and are never kept.
"use strict";
const CACHE = "portal-{{ version }}";
const SHELL = {{ kept[0] | tojson }};
const KEPT = {{ kept | tojson }};

self.addEventListener("install", (event) => {
  // without the cookie: what is kept is what anybody may have
  const fetched = KEPT.map((path) => new Request(path, { credentials: "omit", cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fetched)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const gone = caches.keys().then((names) => Promise.all(
    names.filter((name) => name.startsWith("portal-") && name !== CACHE).map((name) => caches.delete(name))));
  event.waitUntil(gone.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const request = event.request;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(SHELL)));
  } else if (KEPT.includes(new URL(request.url).pathname + new URL(request.url).search)) {
    event.respondWith(caches.match(request.url).then((kept) => kept || fetch(request)));
  }
});
