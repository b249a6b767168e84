"use strict";
/* The strip as one long picture that can be moved and enlarged. Without this script its rows are all on the page. */
for (const viewer of document.querySelectorAll(".viewer")) {
  const number = (name) => Number(viewer.dataset[name]);
  const length = number("length"), origin = number("origin"), narrowest = Math.min(60, length);
  const surface = viewer.querySelector(".surface");
  const views = viewer.querySelectorAll(".view");
  const ticks = viewer.querySelector(".ticks");
  const track = viewer.querySelector(".track");
  const lens = viewer.querySelector(".lens");
  const told = viewer.querySelector("output");
  let left = 0, width = length, saying = 0;

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const km = (metres, digits) => {
    const text = ((metres - origin) / 1000).toFixed(digits);
    return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "\u2212");
  };

  function show(start, span) {
    width = clamp(span, narrowest, length);
    left = clamp(start, 0, length - width);
    for (const view of views) {
      view.setAttribute("viewBox", `${left} 0 ${width} ${view.dataset.height}`);
    }
    lens.style.left = `${100 * left / length}%`;
    lens.style.width = `${100 * width / length}%`;
    drawTicks();
    // A screen reader hears where it is once the picture rests, not at each step of a drag.
    clearTimeout(saying);
    saying = setTimeout(() => {
      told.textContent = `Shown: km ${km(left, 2)} to ${km(left + width, 2)}`;
    }, 150);
  }

  function drawTicks() {
    const room = Math.max(surface.clientWidth, 80) / 70;
    const step = [10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5].find((m) => width / m <= room) || 5e5;
    const digits = step < 100 ? 2 : step < 1000 ? 1 : 0;
    ticks.replaceChildren();
    for (let k = Math.ceil((left - origin) / step); origin + k * step <= left + width; k += 1) {
      const tick = document.createElement("span");
      const at = 100 * (origin + k * step - left) / width;
      if (at < 2 || at > 98) continue;
      tick.style.left = `${at}%`;
      tick.textContent = km(origin + k * step, digits);
      ticks.append(tick);
    }
  }

  const zoom = (factor, at = 0.5) => show(left + at * width * (1 - factor), width * factor);
  const move = (share) => show(left + share * width, width);
  const look = (station, span) => show(station - span / 2, span);
  const actions = {
    closer: () => zoom(0.5), wider: () => zoom(2), back: () => move(-0.5), on: () => move(0.5),
    whole: () => show(0, length),
  };
  const keys = {
    ArrowLeft: () => move(-0.125), ArrowRight: () => move(0.125), PageUp: () => move(-1), PageDown: () => move(1),
    Home: () => show(0, width), End: () => show(length - width, width),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => show(0, length),
  };

  for (const button of viewer.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      if (button.dataset.station) look(Number(button.dataset.station), 200);
      else actions[button.dataset.action]();
    });
  }
  surface.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });

  const share = (event, element) => {
    const box = element.getBoundingClientRect();
    return clamp((event.clientX - box.left) / box.width, 0, 1);
  };
  surface.addEventListener("wheel", (event) => {
    // The wheel alone scrolls the page, as everywhere else.
    if (event.ctrlKey) zoom(Math.exp(clamp(event.deltaY, -100, 100) / 200), share(event, surface));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(event.deltaX / surface.clientWidth);
    else return;
    event.preventDefault();
  }, { passive: false });
  surface.addEventListener("dblclick", (event) => zoom(0.5, share(event, surface)));

  const fingers = new Map();
  surface.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, share(event, surface));
    surface.setPointerCapture(event.pointerId);
  });
  surface.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const [id, before, now] = [event.pointerId, fingers.get(event.pointerId), share(event, surface)];
    fingers.set(id, now);
    const other = [...fingers.keys()].find((each) => each !== id);
    if (other === undefined) move(before - now);
    else {
      const still = fingers.get(other);
      const apart = Math.max(Math.abs(now - still), 0.02);
      zoom(Math.max(Math.abs(before - still), 0.02) / apart, still);
    }
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    surface.addEventListener(kind, (event) => fingers.delete(event.pointerId));
  }
  track.addEventListener("pointerdown", (event) => look(share(event, track) * length, width));
  new ResizeObserver(drawTicks).observe(surface);

  viewer.hidden = false;
  // About a metre a pixel: on a phone that is a third of a row.
  look(number("at"), Math.min(length, 1000, Math.max(surface.clientWidth, 200)));
}
