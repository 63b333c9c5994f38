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

  // A control that vanished with its row would drop the focus on the page; hand it to the table's heading.
  document.addEventListener("htmx:after:swap", () => {
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
      part.hidden = !field || !wanted.split(" ").includes(field.value);
    });
  };
  document.addEventListener("change", reveal);
  document.addEventListener("htmx:after:settle", reveal);
  reveal();
})();
