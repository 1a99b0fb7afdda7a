// Opens a page in the registry's own Chromium and says what it came to, as JSON: the DOM after its scripts ran, what
// they complained of, and every address that the page asked for. Run in the folder of the packages.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [packages, page] = process.argv.slice(2);
const load = async (name) => {
  const module = await import(pathToFileURL(createRequire(join(packages, "x.js")).resolve(name)));
  return module.default?.default ?? module.default ?? module;
};
const chromium = await load("@sparticuz/chromium");
const puppeteer = await load("puppeteer-core");
const browser = await puppeteer.launch({
  args: chromium.args,
  executablePath: await chromium.executablePath(),
  headless: "shell",
});
const tab = await browser.newPage();
await tab.setViewport({ width: 1280, height: 800 });
const complaints = [];
const asked = [];
tab.on("console", (message) => complaints.push(message.text()));
tab.on("pageerror", (error) => complaints.push(String(error)));
tab.on("request", (request) => asked.push(request.url()));
await tab.goto(pathToFileURL(page).href, { waitUntil: "load", timeout: 60_000 });
const dom = await tab.content();
const plots = await tab.$$eval("svg.plot", (all) => all.filter((svg) => svg.getBoundingClientRect().width > 0).length);
await browser.close();
console.log(JSON.stringify({ dom, complaints, asked, plots }));
