// Marks are saved as they are given, without leaving the page. Without this script the forms send
// themselves. Whatever comes from the server is shown as text.
"use strict";
const students = [...document.querySelectorAll("article.student")];
const list = document.getElementById("students");
const keysOn = document.getElementById("keys-on");
document.getElementById("keys").hidden = false;

function say(form, text, failed) {
  const told = form.querySelector(".told");
  told.textContent = text;
  told.toggleAttribute("data-failed", failed);
}

async function send(form) {
  const fields = new URLSearchParams(new FormData(form));
  say(form, list.dataset.saving, false);
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: fields, headers: { Accept: "application/json" }, keepalive: true,
    });
    if (!answer.ok) throw new Error((await answer.text()).trim());
    const told = await answer.json();
    form.elements.seen.value = told.seen;
    if (told.saved) form.closest("article").dataset.state = told.state;
    say(form, told.told, !told.saved);
    document.getElementById("progress").textContent = told.progress;
  } catch (error) {
    say(form, `${list.dataset.failed} (${error.message})`, true);
  }
}

// One after another, so that each knows what the one before it has made.
const sending = new WeakMap();
function save(form) {
  const turn = (sending.get(form) || Promise.resolve()).then(() => send(form));
  sending.set(form, turn);
}

for (const student of students) {
  const form = student.querySelector("form.mark");
  let waiting = 0;
  const now = () => {
    clearTimeout(waiting);
    waiting = 0;
    save(form);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    now();
  });
  form.addEventListener("change", (event) => {
    clearTimeout(waiting);
    // A person who goes through the levels with the arrow keys means the last one.
    if (event.target.type === "radio") waiting = setTimeout(now, 300);
    else now();
  });
  form.addEventListener("focusout", () => waiting && now());
  addEventListener("pagehide", () => waiting && now());
}

function current() {
  const held = document.activeElement && document.activeElement.closest("article.student");
  if (held) return students.indexOf(held);
  return students.findIndex((student) => student.getBoundingClientRect().bottom > 80);
}

function go(number) {
  const student = students[Math.max(0, Math.min(students.length - 1, number))];
  student.focus({ preventScroll: true });
  student.scrollIntoView({ block: "start" });
}

function pick(student, number) {
  const levels = [...student.querySelectorAll("input[name=level]")];
  const value = number === 0 ? "" : String(number);
  const level = levels.find((one) => one.value === value);
  if (!level || level.checked) return;
  level.checked = true;
  level.focus();
  level.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("keydown", (event) => {
  if (!keysOn.checked || !students.length) return;
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const here = current();
  if (event.target.tagName === "TEXTAREA") {
    if (event.key === "Escape") students[here].focus();
    return;
  }
  const held = document.activeElement && document.activeElement.closest("article.student");
  if (event.key === "j") go(held ? here + 1 : here);
  else if (event.key === "k") go(here - 1);
  else if (event.key === "c") students[here].querySelector("textarea").focus();
  else if (/^[0-9]$/.test(event.key)) pick(students[here], Number(event.key));
  else return;
  event.preventDefault();
});
