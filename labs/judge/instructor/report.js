// Sort the learners by a column, hide names, and unfold all stories on paper.
const page = document.documentElement;

function sort(table, column, down) {
  const key = (body) => {
    const cell = body.rows[0].cells[column];
    return (page.classList.contains("anonymous") && cell.dataset.alias) || cell.dataset.key;
  };
  const bodies = [...table.tBodies];
  bodies.sort((a, b) => key(a).localeCompare(key(b), undefined, { numeric: true }));
  table.append(...(down ? bodies.reverse() : bodies));
  for (const th of table.tHead.rows[0].cells) {
    th.toggleAttribute("aria-sort", th.cellIndex === column);
    if (th.cellIndex === column) th.setAttribute("aria-sort", down ? "descending" : "ascending");
  }
}

// No button element: Chromium does not draw one in the heads that it repeats on paper.
for (const button of document.querySelectorAll("th [role=button]")) {
  button.onclick = () => {
    const th = button.closest("th");
    sort(th.closest("table"), th.cellIndex, th.getAttribute("aria-sort") === "ascending");
  };
  button.onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    button.click();
  };
}

const hide = document.getElementById("hide");
hide.onchange = () => {
  page.classList.toggle("anonymous", hide.checked);
  // The order of the names would tell them, so the learners are sorted by their numbers.
  for (const table of document.querySelectorAll("table.learners")) sort(table, 0, false);
};
if (location.hash === "#hide-names") {
  hide.checked = true;
  hide.onchange();
}

document.getElementById("print").onclick = () => window.print();
document.getElementById("tools").hidden = false;

let closed = [];
window.onbeforeprint = () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const one of closed) one.open = true;
};
window.onafterprint = () => {
  for (const one of closed) one.open = false;
};
