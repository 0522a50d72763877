// The rows of keywords teach while one types: what a keyword finds, or what is wrong about it; and
// there is always an empty row. Without this file the buttons of the form do the same.
"use strict";
(() => {
  const MOST = 500; // rows, as the site takes them
  const PAUSE = 350; // ms of rest before a keyword is asked about
  const ask = new URL("subscribe/keyword", document.currentScript.src);
  const rows = document.querySelector(".rows tbody");
  const resting = new WeakMap();

  function hint(input) {
    if (!input.nextElementSibling) {
      const said = input.parentElement.appendChild(document.createElement("p"));
      said.className = "hint";
      said.id = "found-" + [...rows.children].indexOf(input.closest("tr"));
      said.setAttribute("role", "status");
      input.setAttribute("aria-describedby", said.id);
    }
    return input.nextElementSibling;
  }

  function say(input, words, isWrong) {
    hint(input).textContent = words;
    input.classList.toggle("wrong", isWrong);
    input.setAttribute("aria-invalid", isWrong);
  }

  async function teach(input) {
    const term = input.value.trim();
    if (!term) return say(input, "", false);
    ask.searchParams.set("term", term);
    const answer = await fetch(ask).catch(() => null);
    const words = answer && [200, 422].includes(answer.status) ? await answer.text() : "";
    if (input.value.trim() === term) say(input, words, answer?.status === 422);
  }

  function addRow() {
    if (rows.children.length >= MOST) return;
    const row = rows.appendChild(rows.lastElementChild.cloneNode(true));
    for (const input of row.querySelectorAll("input")) {
      input.value = "";
      input.classList.remove("wrong");
      input.removeAttribute("aria-describedby");
      input.removeAttribute("aria-invalid");
      input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+/, rows.children.length));
      if (input.nextElementSibling) input.nextElementSibling.remove();
    }
    return row;
  }

  rows.addEventListener("input", ({ target }) => {
    if (target.name !== "term") return;
    if (target.value && target.closest("tr") === rows.lastElementChild) addRow();
    clearTimeout(resting.get(target));
    resting.set(target, setTimeout(teach, PAUSE, target));
  });

  document.querySelector('button[name="more"]').addEventListener("click", (event) => {
    event.preventDefault();
    addRow()?.querySelector("input").focus();
    for (let more = 1; more < 5; more++) addRow();
  });
})();
