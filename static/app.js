// The little that HTML and htmx do not do: announcements, busy marks, focus after a row is gone, copying.
(() => {
  "use strict";
  const region = (id) => document.getElementById(id);

  const say = (id, text) => {
    const place = region(id);
    if (!place) return;
    place.textContent = "";
    window.setTimeout(() => { place.textContent = text; }, 50);
  };

  let toastTimer = 0;
  const complain = (text) => {
    say("live-alert", text);
    window.clearTimeout(toastTimer);
    toastTimer = window.setTimeout(() => { region("live-alert").textContent = ""; }, 15000);
  };

  document.addEventListener("forge:announce", (event) => say("live-status", event.detail.message));
  document.addEventListener("forge:complain", (event) => complain(event.detail.message));

  document.addEventListener("htmx:before:request", (event) => {
    const target = event.detail.ctx && event.detail.ctx.target;
    if (target instanceof Element) target.setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const target = event.detail.ctx && event.detail.ctx.target;
    if (target instanceof Element) target.removeAttribute("aria-busy");
  });

  document.addEventListener("htmx:response:error", (event) => {
    const status = event.detail.ctx.response.status;
    if (status >= 500) complain("The panel could not do that (error " + status + "). Try again, or look at its log.");
  });
  document.addEventListener("htmx:error", () => {
    complain("The panel could not be reached. Check that it is running; nothing was changed.");
  });

  // A control that vanished with its row would drop the focus on the page; hand it to the table's heading,
  // but only if the focus was in what was replaced, and never for what the page asks by itself.
  const handsOn = new WeakSet();
  document.addEventListener("htmx:before:swap", (event) => {
    const ctx = event.detail.ctx;
    const place = ctx.target instanceof Element ? ctx.target : null;
    if (ctx.request.headers["X-Poll"] !== "1" && place && place.contains(document.activeElement)) handsOn.add(ctx);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (!handsOn.has(event.detail.ctx)) return;
    if (document.activeElement && document.activeElement !== document.body) return;
    const heading = document.querySelector("[data-focus-after-swap]");
    if (heading) heading.focus({ preventScroll: true });
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button || !navigator.clipboard) return;
    navigator.clipboard.writeText(button.dataset.copy).then(() => say("live-status", "Copied."));
  });

  // Fields that only matter under a certain choice: <fieldset data-show-when="name=value other">.
  const reveal = () => {
    document.querySelectorAll("[data-show-when]").forEach((part) => {
      const [name, wanted] = part.dataset.showWhen.split("=");
      const field = document.querySelector(`[name="${name}"]:checked, select[name="${name}"]`);
      const wrong = part.querySelector(".is-invalid"); // what is wrong is never hidden
      part.hidden = !wrong && (!field || !wanted.split(" ").includes(field.value));
    });
  };
  document.addEventListener("change", reveal);
  document.addEventListener("htmx:after:settle", reveal);
  reveal();

  // A log stays at its end while the reader is there, and stays put while they are reading further up.
  const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  let following = true;
  document.addEventListener("htmx:before:swap", () => {
    const box = document.querySelector("[data-stay-at-end]");
    following = !box || atEnd(box);
  });
  document.addEventListener("htmx:after:swap", () => {
    const box = document.querySelector("[data-stay-at-end]");
    if (box && following) box.scrollTop = box.scrollHeight;
  });
})();
