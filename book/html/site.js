// The switch between light and dark, and the search. Without JavaScript the
// pages are whole: both controls are hidden until this file shows them.
'use strict';

const root = document.documentElement;

// A page opened from a file may have no storage: then nothing is remembered.
function remembered(theme) {
  try {
    if (theme !== undefined) localStorage.setItem('theme', theme);
    return localStorage.getItem('theme');
  } catch (denied) {
    return null;
  }
}

// Before the page is drawn, so that it does not flash.
if (remembered()) root.dataset.theme = remembered();

const prefersDark = () => matchMedia('(prefers-color-scheme: dark)');

function isDark() {
  if (root.dataset.theme) return root.dataset.theme === 'dark';
  return prefersDark().matches;
}

function startTheme() {
  const button = document.getElementById('theme');
  const label = () => { button.textContent = isDark() ? 'Light' : 'Dark'; };
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    remembered(root.dataset.theme);
    label();
  });
  prefersDark().addEventListener('change', label);
  label();
  button.hidden = false;
}

// search-index.js sets searchIndex = { sections: [[address, chapter, heading,
// beginning], ...], words: { word: [sections] } }. It is loaded when somebody
// begins to search, and as a script: a page from a file may fetch no data.
let searchIndex = null;

function loadIndex(then) {
  if (searchIndex) return then();
  const script = document.createElement('script');
  script.src = 'search-index.js';
  script.addEventListener('load', then);
  document.head.append(script);
}

// Sections that hold, for every word typed, a word that begins with it. A
// whole word counts more than a beginning, a heading more than the text.
function search(query) {
  const typed = query.toLowerCase().match(/[\p{L}\p{N}_]+/gu) || [];
  const scores = searchIndex.sections.map(() => 0);
  let alive = null;
  for (const word of typed) {
    const hit = new Set();
    for (const known of Object.keys(searchIndex.words)) {
      if (!known.startsWith(word)) continue;
      for (const n of searchIndex.words[known]) {
        hit.add(n);
        scores[n] += known === word ? 3 : 1;
        const [, chapter, heading] = searchIndex.sections[n];
        const titles = `${chapter} ${heading}`.toLowerCase();
        if (titles.includes(known)) scores[n] += 6;
      }
    }
    alive = alive ? new Set([...alive].filter((n) => hit.has(n))) : hit;
  }
  return [...(alive || [])].sort((a, b) => scores[b] - scores[a] || a - b);
}

function showFound(list, numbers, query) {
  list.replaceChildren(...numbers.slice(0, 12).map((n) => {
    const [address, chapter, heading, beginning] = searchIndex.sections[n];
    const link = document.createElement('a');
    const title = document.createElement('b');
    const text = document.createElement('span');
    link.href = address;
    title.textContent = heading ? `${chapter}: ${heading}` : chapter;
    text.textContent = beginning;
    link.append(title, text);
    const item = document.createElement('li');
    item.append(link);
    return item;
  }));
  list.hidden = !query;
  const count = document.getElementById('count');
  count.textContent = query ? `${numbers.length} found` : '';
  if (query && !numbers.length) {
    const item = document.createElement('li');
    item.textContent = 'Nothing found.';
    list.append(item);
  }
}

function startSearch() {
  const form = document.getElementById('search');
  const field = document.getElementById('query');
  const list = document.getElementById('found');
  const run = () => loadIndex(() =>
    showFound(list, search(field.value), field.value.trim()));
  field.addEventListener('input', run);
  field.addEventListener('focus', () => { if (field.value) run(); });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const first = list.querySelector('a');
    if (first) first.click();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') list.hidden = true;
    if (event.key === '/' && document.activeElement === document.body) {
      event.preventDefault();
      field.focus();
    }
  });
  document.addEventListener('click', (event) => {
    if (!form.contains(event.target)) list.hidden = true;
  });
  list.addEventListener('click', () => { list.hidden = true; });
  form.hidden = false;
}

document.addEventListener('DOMContentLoaded', () => {
  startTheme();
  startSearch();
  const here = document.querySelector('.here');
  if (here && matchMedia('(min-width: 72rem)').matches) here.open = true;
});
