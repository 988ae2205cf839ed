// Shows the figures of this page, and links what Bokeh does not: page colours, searches, the region that is chosen,
// and the folder in commands to paste.
(async () => {
  Bokeh.logger.set_level("warn");
  const {document: docs, roots} = JSON.parse(document.getElementById("figures").textContent);
  await Bokeh.embed.embed_items(docs, [{docid: "report", roots, root_ids: Object.keys(roots)}]);
  const doc = Bokeh.documents[0], named = (name) => doc.get_model_by_name(name);

  const colours = () => {
    const of = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const ink = of("--ink"), soft = of("--soft"), line = of("--line");
    for (const model of doc.all_models) {
      if (model.type.endsWith("Axis"))
        model.setv({axis_label_text_color: ink, major_label_text_color: soft, axis_line_color: soft, major_tick_line_color: soft});
      else if (model.type === "Grid") model.setv({grid_line_color: line});
      else if (model.type === "ColorBar") model.setv({title_text_color: ink, major_label_text_color: soft});
      else if (model.type === "Legend") model.setv({label_text_color: ink, background_fill_color: null, border_line_color: line});
    }
  };
  colours();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colours);

  // of a grid a screen reader expects rows alone, and SlickGrid puts its own focus marks beside them
  for (const place of document.querySelectorAll(".plot")) {
    const grid = place.firstElementChild?.shadowRoot?.querySelector("[role=grid]");
    if (!grid) continue;
    grid.setAttribute("role", "group");
    for (const part of grid.querySelectorAll(".slick-header, .grid-canvas")) {
      part.setAttribute("role", "grid");
      part.setAttribute("aria-label", `${place.id}${part.classList.contains("slick-header") ? ", headings" : ""}`);
    }
  }

  for (const input of document.querySelectorAll("input[data-table]")) {
    const table = named(`${input.dataset.table} table`), filter = named(`${input.dataset.table} filter`);
    const fields = table.columns.map((column) => table.source.data[column.field]);
    const count = document.getElementById(`${input.dataset.table}-count`);
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter((word) => word);
      const rows = [...Array(fields[0].length).keys()].filter((k) =>
        wanted.every((word) => fields.some((field) => String(field[k]).toLowerCase().includes(word))));
      filter.indices = rows;
      count.textContent = `${rows.length} of ${fields[0].length}`;
    });
  }

  if (document.getElementById("region") !== null) {
    const region = named("region filter");
    const points = named("snps table").source, windows = named("windows table").source, range = named("region range");
    const title = document.getElementById("region-title"), first = named("regions");
    const show = (k) => {
      const at = first.data.region.flatMap((group, j) => (group === String(k) ? [j] : []));
      const of = (name) => windows.data[name][k];
      const place = `chromosome ${of("chrom")}, ${of("start").toLocaleString("en")} to ${of("end").toLocaleString("en")}`;
      if (at.length === 0) { title.textContent = `${place}: only the windows of highest rank have a plot`; return; }
      title.textContent = `${place}, coloured by r² with ${of("top_snp")}`;
      region.group = String(k);
      const places = at.map((j) => first.data.place[j]);
      const low = Math.min(...places), high = Math.max(...places), margin = 0.02 * (high - low) + 1;
      range.setv({start: low - margin, end: high + margin, reset_start: low - margin, reset_end: high + margin});
    };
    windows.selected.properties.indices.change.connect(() => windows.selected.indices.slice(0, 1).forEach(show));
    points.selected.properties.indices.change.connect(() => {
      const k = points.selected.indices.length ? points.data.window[points.selected.indices[0]] : -1;
      if (k >= 0) show(k);
    });
    show(0);
  }

  if (location.protocol === "file:") {
    const folder = decodeURIComponent(location.pathname).replace(/\/[^/]*$/, "");
    for (const code of document.querySelectorAll("pre.command"))
      code.textContent = code.textContent.replace(/\bDIR([\w-]*)/g, (_, end) => `'${(folder + end).replaceAll("'", "'\\''")}'`);
  }
  document.documentElement.dataset.ready = "yes";
})();
