(() => {
  const search = document.getElementById("search");
  if (!search) return;
  const field = search.querySelector("input"), said = search.querySelector("output");
  const all = [...document.querySelectorAll("#details tbody tr, #details pre")];
  const texts = all.map((item) => item.textContent.toLowerCase());
  const tables = [...document.querySelectorAll("#details .table")];
  const find = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    all.forEach((item, n) => {
      const hit = words.every((word) => texts[n].includes(word));
      item.hidden = !hit;
      found += hit ? 1 : 0;
    });
    tables.forEach((table) => { table.hidden = words.length > 0 && !table.querySelector("tbody tr:not([hidden])"); });
    said.textContent = words.length ? `${found} of ${all.length} rows` : "";
  };
  search.hidden = false;
  field.addEventListener("input", find);
  addEventListener("beforeprint", () => { field.value = ""; find(); });
})();
