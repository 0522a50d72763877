// What axe-core finds in these pages; it runs inside each of them.
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
async function tell({mails, axe, scheme}) {
  const found = [];
  let passed = 0;
  for (const [name, html] of Object.entries(mails)) {
    const frame = document.createElement("iframe");
    frame.style = `border:0; width:600px; height:900px; color-scheme:${scheme}`;
    frame.srcdoc = html;
    const ready = new Promise(done => frame.onload = done);
    document.body.append(frame);
    await ready;
    frame.contentWindow.eval(axe);
    const said = await frame.contentWindow.axe.run(frame.contentDocument, {
      runOnly: {type: "tag", values: TAGS}, rules: {"target-size": {enabled: true}},
    });
    passed += said.passes.length;
    for (const fault of said.violations)
      found.push(`${name}: ${fault.id}: ${fault.nodes[0].html}`);
    frame.remove();
  }
  return {found, passed};
}
