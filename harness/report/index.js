"use strict";
// Sorting by any column and filtering. The whole table is in the page; of a large one, just the first
// rows that fit are laid out, as a browser takes seconds over ten thousand.
const STEP = 500;
// As people type a name: in small letters, without accents, however a file system writes these.
const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const table = document.querySelector("#submissions table");
const body = table.tBodies[0];
const rows = Array.from(body.rows, (row) => ({
  row,
  name: folded(row.cells[0].textContent),
  state: row.cells[row.cells.length - 1].firstChild.textContent.trim(),
  mistakes: (row.dataset.mistakes || "").split(" "),
  lost: Array.from(row.cells).slice(2, -1).map((cell) => "lost" in cell.dataset),
  keys: Array.from(row.cells, (cell) => cell.textContent.trim()),
}));
const more = document.querySelector("#more");
const moreText = more.textContent;
const shown = document.querySelector("#shown");
const filters = Object.fromEntries(
  ["filter", "state", "lost", "mistake"].map((id) => [id, document.getElementById(id)])
);
const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });

function number(text) {
  // What was not judged comes first, however the table is sorted the first time.
  const value = parseFloat(text.replace(",", "."));
  return Number.isNaN(value) ? -1 : value;
}

function sortBy(column, kind, descending) {
  const sign = descending ? -1 : 1;
  const compare =
    kind === "number"
      ? (a, b) => number(a.keys[column]) - number(b.keys[column])
      : (a, b) => collator.compare(a.keys[column], b.keys[column]);
  rows.sort((a, b) => sign * compare(a, b));
  show(STEP);
}

// The first rows that fit the filters, in the order of the moment.
function show(most) {
  const wanted = folded(filters.filter.value.trim());
  const { state, lost, mistake } = filters;
  const fitting = rows.filter(
    (one) =>
      one.name.includes(wanted) &&
      (!state.value || one.state === state.value) &&
      (!lost.value || one.lost[Number(lost.value)]) &&
      (!mistake.value || one.mistakes.includes(mistake.value))
  );
  const first = document.createDocumentFragment();
  for (const { row } of fitting.slice(0, most)) first.append(row);
  body.replaceChildren(first);
  const count = Math.min(most, fitting.length);
  const left = fitting.length - count;
  shown.textContent = (left ? shown.dataset.first : shown.dataset.shown)
    .replace("{shown}", count).replace("{fitting}", fitting.length).replace("{all}", rows.length);
  more.hidden = left === 0;
  more.textContent = moreText.replace("{n}", Math.min(STEP, left)).replace("{left}", left);
}

Array.from(table.tHead.rows[0].cells).forEach((cell, column) => {
  const title = cell.querySelector(".sorting");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.column = column;
  button.textContent = title.textContent;
  button.addEventListener("click", () => {
    const descending = cell.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
    sortBy(column, title.dataset.kind, descending);
  });
  title.replaceWith(button);
  title.dataset.column = column;
});
const form = document.querySelector(".filters");
form.hidden = false;
form.addEventListener("input", () => show(STEP));
form.addEventListener("submit", (event) => event.preventDefault());
more.addEventListener("click", () => {
  const before = body.rows.length;
  show(before + STEP);
  body.rows[before].querySelector("a").focus();
});
// On paper there is nothing to press: all that fit are there, and afterwards as many as before.
let before = 0;
addEventListener("beforeprint", () => {
  before = Math.max(STEP, body.rows.length);
  show(Infinity);
});
addEventListener("afterprint", () => show(before));
show(STEP);
