// Search the sections and claims of BOOK: [title, text, page, address]. It is a script and no file
// that is fetched, since a page that was opened from a folder may fetch nothing.
"use strict";

const MOST = 40;
const AROUND = 90; // characters of a snippet on each side

const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
const entries = BOOK.map(([title, text, page, address]) => {
  return { title, text, page, address, inTitle: plain(title), inText: plain(`${text} ${page}`) };
});

// What has all words counts; the id of a claim, words of the title and the whole phrase count more.
function score(entry, phrase, words) {
  let points = entry.inTitle.split(" ")[0] === phrase ? 1000 : 0;
  for (const word of words) {
    if (entry.inTitle.includes(word)) points += 20;
    else if (!entry.inText.includes(word)) return 0;
    points += Math.min(entry.inText.split(word).length - 1, 5);
  }
  if (entry.inTitle.includes(phrase)) points += 60;
  if (entry.inText.includes(phrase)) points += 15;
  return points;
}

function find(query) {
  const phrase = plain(query).trim();
  const words = [...new Set(phrase.split(/\s+/).filter(Boolean))];
  if (!words.length) return [];
  return entries
    .map((entry) => ({ entry, points: score(entry, phrase, words) }))
    .filter((one) => one.points > 0)
    .sort((a, b) => b.points - a.points)
    .map((one) => one.entry);
}

// The text around the first hit, with every word of the query marked.
function snippet(text, query) {
  const words = query.trim().split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const any = new RegExp(`(${words.join("|")})`, "gi");
  const phrase = text.toLowerCase().indexOf(query.trim().toLowerCase());
  const at = Math.max(phrase >= 0 ? phrase : text.search(any), 0);
  const from = at > AROUND ? text.indexOf(" ", at - AROUND) + 1 : 0;
  const until = Math.min(at + AROUND + query.length, text.length);
  const line = document.createElement("p");
  line.append(from > 0 ? "… " : "");
  text.slice(from, until).split(any).forEach((part, n) => {
    const piece = n % 2 ? document.createElement("mark") : document.createTextNode("");
    piece.textContent = part;
    line.append(piece);
  });
  line.append(until < text.length ? " …" : "");
  return line;
}

function show(query) {
  const results = document.getElementById("book-results");
  const found = find(query);
  results.replaceChildren(
    ...found.slice(0, MOST).map((entry) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = entry.address;
      link.textContent = entry.title;
      const where = document.createElement("p");
      where.className = "where";
      where.textContent = entry.page;
      item.append(link, where, snippet(entry.text, query));
      return item;
    }),
  );
  const more = found.length > MOST ? `, the first ${MOST} are shown` : "";
  document.getElementById("book-found").textContent = query.trim()
    ? `${found.length || "Nothing"} found${more}.`
    : "";
}

const field = document.getElementById("book-query");
field.value = new URLSearchParams(location.search).get("q") ?? "";
field.addEventListener("input", () => show(field.value));
field.form.addEventListener("submit", (event) => {
  event.preventDefault();
  show(field.value);
});
show(field.value);
if (!field.value) field.focus();
