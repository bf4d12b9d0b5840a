"use strict";

// Tables: a head is a button, so that keyboards work; missing values stay last in both directions.
function sortBy(head) {
  const table = head.closest("table");
  const heads = [...head.parentElement.children];
  const column = heads.indexOf(head);
  const before = head.getAttribute("aria-sort");
  const order = before === "none" ? head.dataset.first : before === "ascending" ? "descending" : "ascending";
  heads.forEach((each) => each.setAttribute("aria-sort", each === head ? order : "none"));
  const sign = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [row, row.cells[column].dataset.value]);
  const numeric = keyed.every(([, key]) => key === undefined || (key !== "" && Number.isFinite(Number(key))));
  keyed.sort(([, first], [, second]) => {
    if (first === undefined || second === undefined) {
      return (first === undefined) - (second === undefined);
    }
    return sign * (numeric ? Number(first) - Number(second) : first.localeCompare(second, undefined, { numeric: true }));
  });
  body.append(...keyed.map(([row]) => row));
}

document.querySelectorAll("table.sortable th[aria-sort] button").forEach((button) => {
  button.addEventListener("click", () => sortBy(button.parentElement));
});

// Players: one at a time, and within a mixture the next takes over where the last one is.
let playing = null;

function takeOver(audio) {
  if (playing && playing !== audio) {
    if (!playing.paused && playing.closest(".card") === audio.closest(".card")) {
      audio.currentTime = Math.min(playing.currentTime, audio.duration || 0);
    }
    playing.pause();
  }
  playing = audio;
  requestAnimationFrame(follow);
}

function moveHead(audio) {
  const head = audio.closest(".sound").querySelector(".playhead");
  const from = Number(head.dataset.from);
  const x = from + (Number(head.dataset.to) - from) * (audio.currentTime / (audio.duration || 1));
  head.setAttribute("x1", x);
  head.setAttribute("x2", x);
  head.classList.toggle("on", audio.currentTime > 0);
}

function follow() {
  if (playing) {
    moveHead(playing);
    if (!playing.paused) {
      requestAnimationFrame(follow);
    }
  }
}

function seek(audio, event) {
  const svg = event.currentTarget;
  const head = svg.querySelector(".playhead");
  const box = svg.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
  const from = Number(head.dataset.from);
  const share = (x - from) / (Number(head.dataset.to) - from);
  if (audio.duration) {
    audio.currentTime = Math.min(Math.max(share, 0), 1) * audio.duration;
    if (audio.paused) {
      audio.play();
    }
  }
}

document.querySelectorAll(".sound").forEach((sound) => {
  const audio = sound.querySelector("audio");
  audio.addEventListener("play", () => takeOver(audio));
  audio.addEventListener("seeked", () => moveHead(audio));
  sound.querySelector("svg").addEventListener("click", (event) => seek(audio, event));
});

// Paper cannot be unfolded; the numbers below plots stay away.
const unfolded = [];
window.addEventListener("beforeprint", () => {
  unfolded.push(...document.querySelectorAll("details:not([open]):not(.numbers)"));
  unfolded.forEach((each) => (each.open = true));
});
window.addEventListener("afterprint", () => {
  unfolded.splice(0).forEach((each) => (each.open = false));
});
