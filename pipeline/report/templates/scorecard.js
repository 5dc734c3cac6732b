// Plays from a moment, moves the playhead, follows in the transcript. Everything else works without this script.
"use strict";
(() => {
  const audio = document.querySelector("audio");
  const floor = document.querySelector(".floor");
  const plot = document.querySelector(".plot");
  const head = document.querySelector(".playhead");
  const follow = document.querySelector(".follow input");
  // By time, which is not always the order of an imported transcript.
  const turns = [...document.querySelectorAll(".turn[data-at]")].sort((one, other) => one.dataset.at - other.dataset.at);
  const starts = turns.map((turn) => Number(turn.dataset.at));
  const total = floor ? Number(floor.dataset.total) : 0;
  const timed = floor && floor.dataset.basis === "time";
  let place = 0;
  let current = null;

  const clock = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };

  const turnAt = (at) => {
    let low = 0, high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= at + 0.01) low = middle + 1; else high = middle;
    }
    return low ? turns[low - 1] : null;
  };

  const moveHead = (turn) => {
    if (!head || !total) return;
    const name = turn ? turn.querySelector("bdi").textContent : "";
    const x = `${(100 * place) / total}%`;
    const [line, knob] = head.children;
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    knob.setAttribute("cx", x);
    head.setAttribute("aria-valuenow", String(Math.round(place)));
    head.setAttribute("aria-valuetext", (timed ? clock(place) : `word ${Math.round(place)}`) + (name ? `, ${name}` : ""));
    head.classList.toggle("rest", place === 0);
  };

  const show = (at) => {
    place = Math.min(Math.max(0, at), total || at);
    const turn = turnAt(place);
    moveHead(turn);
    if (turn === current) return;
    if (current) { current.classList.remove("now"); current.removeAttribute("aria-current"); }
    current = turn;
    if (!turn) return;
    turn.classList.add("now");
    turn.setAttribute("aria-current", "true");
    if (follow && follow.checked) turn.scrollIntoView({ block: "center" });
  };

  const play = (at) => {
    audio.currentTime = at;
    show(at);
    try { history.replaceState(null, "", `#at=${Math.floor(at)}`); } catch { /* a sandboxed preview has no history */ }
    const started = audio.play();
    if (started) started.catch(() => {});
  };

  const jump = (at) => {
    if (audio && timed && !audio.error) { play(at); return; }
    show(at);
    if (current) current.scrollIntoView({ block: "center" });
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".play, .mark, .takeover-link");
    const own = event.target.closest(".turn .who a");
    if (button && audio && timed && !audio.error) {
      event.preventDefault();
      play(Number(button.dataset.at));
    } else if (own && audio && timed && !audio.error && own.closest(".turn").dataset.at) {
      event.preventDefault();
      if (follow) follow.checked = true;
      play(Number(own.closest(".turn").dataset.at));
    } else if (!button && plot && plot.contains(event.target)) {
      const box = plot.getBoundingClientRect();
      jump((total * (event.clientX - box.left)) / box.width);
    }
  });

  if (head && total) {
    head.setAttribute("tabindex", "0");
    head.classList.add("on");
    moveHead(null);
    head.addEventListener("keydown", (event) => {
      const step = timed ? 5 : total / 100;
      const to = { ArrowRight: place + step, ArrowUp: place + step, ArrowLeft: place - step, ArrowDown: place - step,
        PageUp: place + total / 10, PageDown: place - total / 10, Home: 0, End: total }[event.key];
      if (to !== undefined) { event.preventDefault(); show(to); if (audio && timed) audio.currentTime = place; }
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); jump(place); }
    });
  }

  if (audio) {
    audio.addEventListener("timeupdate", () => { if (!audio.paused || audio.currentTime > 0) show(audio.currentTime); });
    audio.addEventListener("error", () => {
      document.body.classList.add("silent");
      document.querySelector(".no-sound").textContent = "The recording is not beside this page. Keep both in one folder to listen.";
    });
    const asked = /^#at=(\d+)$/.exec(location.hash);
    if (asked) audio.addEventListener("loadedmetadata", () => { audio.currentTime = Number(asked[1]); }, { once: true });
  }
})();
