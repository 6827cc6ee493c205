// Filters of the browser of turns. Without script, all turns are shown.
(() => {
  const of = (id) => document.getElementById(id);
  const [suite, kind, text, left] = ["by-suite", "by-kind", "by-text", "shown"].map(of);
  const turns = [...document.querySelectorAll("details.turn")];
  const apply = () => {
    const words = text.value.toLowerCase();
    let count = 0;
    for (const turn of turns) {
      const fits = (!suite.value || turn.dataset.suite === suite.value)
        && (!kind.value || turn.dataset.kind === kind.value)
        && (!words || turn.textContent.toLowerCase().includes(words));
      turn.hidden = !fits;
      count += fits;
    }
    left.textContent = `${count} of ${turns.length}`;
  };
  [suite, kind].forEach((choice) => choice.addEventListener("change", apply));
  text.addEventListener("input", apply);
  document.querySelector(".controls").hidden = false;
  apply();
})();
