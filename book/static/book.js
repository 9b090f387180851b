// What every page can do: copy code, fold answers, be scrolled with the keyboard.
"use strict";

// Code can be copied. Where the browser forbids it, the code is selected instead.
function addCopyButton(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "book-copy";
  button.textContent = "copy";
  button.setAttribute("aria-label", "Copy this code");
  button.addEventListener("click", async () => {
    const pre = block.querySelector("pre");
    try {
      await navigator.clipboard.writeText(pre.textContent.trimEnd() + "\n");
      button.textContent = "copied";
    } catch {
      window.getSelection().selectAllChildren(pre);
      button.textContent = "selected";
    }
    setTimeout(() => (button.textContent = "copy"), 2000);
  });
  block.append(button);
}

// One button unfolds all answers and hints of a page, or folds them.
function addFoldButton(answers) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "book-fold";
  const open = () => [...answers].every((answer) => answer.open);
  const name = () => (button.textContent = open() ? "fold all" : "unfold all");
  button.addEventListener("click", () => {
    const wanted = !open();
    answers.forEach((answer) => (answer.open = wanted));
    name();
  });
  answers.forEach((answer) => answer.addEventListener("toggle", name));
  name();
  document.querySelector("article h1").after(button);
}

// What is wider than the page scrolls by itself; a keyboard reaches it only with a tab stop.
function markScrollers() {
  for (const box of document.querySelectorAll(
    "article :is(pre, .table-wrapper, .output, .formula), .sidebar-scroll, .toc-scroll",
  )) {
    const scrolls =
      box.scrollWidth > box.clientWidth || (box.scrollHeight > box.clientHeight && !box.matches("article *"));
    if (scrolls && !box.hasAttribute("tabindex")) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "scrolls");
    }
  }
}

// A link may lead into a folded answer.
function unfoldTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const answer = target?.closest("details:not([open])");
  if (answer) {
    answer.open = true;
    target.scrollIntoView();
  }
}

document.querySelectorAll("article div.highlight").forEach((block) => {
  if (block.querySelector("pre")) addCopyButton(block);
});
const answers = document.querySelectorAll("article details:not(.book-code)");
if (answers.length > 1) addFoldButton(answers);
document.querySelectorAll("details").forEach((one) => one.addEventListener("toggle", markScrollers));
addEventListener("resize", markScrollers);
addEventListener("hashchange", unfoldTarget);
addEventListener("keydown", (event) => {
  const busy = event.target.closest("input, textarea, select");
  if (event.key === "/" && !busy && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const field = document.querySelector("#book-query, .sidebar-search");
    if (field && field.checkVisibility()) {
      event.preventDefault();
      field.focus();
    }
  }
});
markScrollers();
unfoldTarget();
