// The console in a real browser: every step of the integration by clicks, from the link that `dev` prints to an event in the log
// group; what was clicked plans empty against the configuration that is shown; axe finds nothing; no page breaks its own policy.
// `cargo xtask test --step console` starts it and sets the variables.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const { CONSOLE_TOOLS, CONSOLE_COMPANION, CONSOLE_PROVIDER_DIR, CONSOLE_TERRAFORM, CONSOLE_CHROMIUM, CONSOLE_PICTURES, CONSOLE_WRITE } = process.env;
const load = createRequire(join(CONSOLE_TOOLS, "package.json"));
const { chromium } = load("playwright-core");
const axe = load("axe-core").source;

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const BYTES_MAX = 100 * 1024;
const PATIENCE_MS = 60_000;
const VIEWS = [
  { name: "light", colorScheme: "light", width: 1280 },
  { name: "dark", colorScheme: "dark", width: 1280 },
  { name: "320 px", colorScheme: "light", width: 320 },
  { name: "320 px dark", colorScheme: "dark", width: 320 },
];

/** The pages that the guide has pictures of. */
const PICTURES = { "connection, pending": "connection", "rule, step 2, a miss": "test-pattern", chain: "chain", "log group": "log-group", "deliveries, failed": "deliveries" };

/** Starts `dev`; resolves to the process and what it printed. */
async function start() {
  const process_ = spawn(CONSOLE_COMPANION, ["dev"], { stdio: ["ignore", "pipe", "inherit"] });
  const found = { process: process_, variables: {} };
  for await (const line of createInterface({ input: process_.stdout })) {
    if (line.startsWith("Console ")) found.link = line.slice("Console ".length);
    for (const [, name, value] of line.matchAll(/([A-Z_]+)=(\S+)/g)) found.variables[name] = value;
    if (line.startsWith("Ctrl-C")) return found;
  }
  throw new Error("dev ended");
}

/** Fails where axe finds a violation, in each view. */
async function accessible(page, where) {
  // With its styles.
  await page.waitForLoadState("load");
  for (const view of VIEWS) {
    await page.emulateMedia({ colorScheme: view.colorScheme });
    await page.setViewportSize({ width: view.width, height: 800 });
    const { violations } = await page.evaluate((tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags } }), TAGS);
    const said = violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n  ")}`);
    assert.deepEqual(said, [], `${where}, ${view.name}`);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wider <= 0, `${where}, ${view.name}: the page is ${wider} px wider than the window`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });
  if (PICTURES[where]) await pictured(page, PICTURES[where]);
}

/** Compares the page's text with the one that its picture was made of, or makes both. */
async function pictured(page, name) {
  const text = (await page.locator("main").innerText())
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, "TIME")
    .replace(/\b(run|in|env|ws|acc)-v0\w+/g, "$1-ID")
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "UUID")
    .replace(/("duration": )[\d.]+/, "$1NUMBER")
    .replace(/, \d+ bytes/g, ", N bytes");
  const file = join(CONSOLE_PICTURES, `${name}.txt`);
  if (CONSOLE_WRITE) {
    mkdirSync(CONSOLE_PICTURES, { recursive: true });
    writeFileSync(file, `${text}\n`);
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.screenshot({ path: join(CONSOLE_PICTURES, `${name}.png`), fullPage: name === "test-pattern" });
    return;
  }
  assert.equal(`${text}\n`, readFileSync(file, "utf8"), `${name}: the guide's picture is of another text: cargo xtask docs --pictures`);
}

/** The configuration that a page shows. */
async function shown(page) {
  return page.locator("#hcl").textContent();
}

/** Pastes a configuration into a folder of its own: it imports so many objects, changes nothing, and then plans empty. */
function plansEmpty(hcl, variables, imports) {
  const folder = mkdtempSync(join(tmpdir(), "console-walk-"));
  const settings = `provider_installation {\n  dev_overrides { "scalr-eventbridge/scalr" = "${CONSOLE_PROVIDER_DIR}" }\n  direct {}\n}\n`;
  writeFileSync(join(folder, "cli.tfrc"), settings);
  writeFileSync(join(folder, "main.tf"), hcl);
  const run = (...args) => {
    const env = { ...process.env, ...variables, TF_CLI_CONFIG_FILE: join(folder, "cli.tfrc"), CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
    return execFileSync(CONSOLE_TERRAFORM, args, { cwd: folder, env, encoding: "utf8" });
  };
  try {
    const plan = run("plan", "-no-color", "-input=false");
    assert.match(plan, new RegExp(`Plan: ${imports} to import, 0 to add, 0 to change, 0 to destroy`), plan);
    run("apply", "-no-color", "-input=false", "-auto-approve");
    run("plan", "-no-color", "-input=false", "-detailed-exitcode");
  } catch (error) {
    throw new Error(`${error.message}\n${error.stdout ?? ""}\n${error.stderr ?? ""}\n${hcl}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Presses a button that asks first; resolves to its question. */
async function answered(page, button, accept) {
  const asked = new Promise((resolve) => page.once("dialog", async (dialog) => {
    resolve(dialog.message());
    await (accept ? dialog.accept() : dialog.dismiss());
  }));
  await button.click();
  return asked;
}

/** Has the local AWS refuse the next call that brings it events, as one that no repetition changes. */
async function refuseNext(dev) {
  const fault = { operation: "events:PutPartnerEvents", kind: "error", status: 400, code: "ValidationException", times: 1 };
  const answer = await fetch(`${dev.variables.AWS_ENDPOINT_URL}/_local/faults`, { method: "POST", body: JSON.stringify(fault) });
  assert.ok(answer.ok, await answer.text());
}

/** Opens the page of the rule from anywhere. */
async function toRule(page) {
  await page.getByRole("link", { name: "AWS: Event buses" }).click();
  await page.getByRole("link", { name: "aws.partner/scalr.com/local/prod" }).click();
  await page.getByRole("link", { name: "runs", exact: true }).click();
  await page.getByRole("heading", { name: "runs", exact: true }).waitFor();
}

/** Starts a run of the connection, waits until AWS has its event, and opens the log group; resolves to the run's id. */
async function runToTheLogGroup(page) {
  await page.getByRole("link", { name: "Integrations" }).click();
  const live = page.waitForResponse((answer) => answer.url().endsWith("/standing"));
  await page.getByRole("link", { name: "prod" }).click();
  await live;
  await page.getByRole("button", { name: "Start a run" }).click();
  const [, run] = (await page.locator("#ran").getByText("was started.").textContent()).match(/(run-\S+)/);
  await page.locator(".live").getByText("delivered").first().waitFor({ timeout: PATIENCE_MS });
  await page.getByRole("link", { name: "AWS: Log groups" }).click();
  await page.getByRole("link", { name: "/aws/events/scalr" }).click();
  await page.getByRole("heading", { name: "/aws/events/scalr" }).waitFor();
  return run;
}

const steps = [];
const step = (name, run) => steps.push({ name, run });

step("sign in by the printed link", async ({ page, dev }) => {
  await page.goto(dev.link);
  await page.getByRole("heading", { name: "Integrations: AWS EventBridge" }).waitFor();
  await accessible(page, "integrations, empty");
});

step("create a connection, with checks beside the fields", async ({ page }) => {
  await page.getByRole("link", { name: "Create connection" }).first().click();
  await page.getByLabel("Connection name").fill("<script>alert(1)</script>");
  await page.getByLabel("AWS account ID").fill("12345");
  await page.getByLabel("AWS account ID").press("Tab");
  await page.getByText("A name holds letters, digits").waitFor();
  await page.getByText("An AWS account id is 12 digits.").waitFor();
  await accessible(page, "new connection");
  await page.getByLabel("Connection name").fill("prod");
  await page.getByLabel("AWS account ID").fill("123456789012");
  await page.getByLabel("AWS region").fill("us-east-1");
  await page.getByText("Show as Terraform").click();
  await page.locator("#hcl", { hasText: '"prod"' }).waitFor();
  await page.getByRole("button", { name: "Create connection" }).click();
  await page.getByText("this connection is pending").waitFor();
  await accessible(page, "connection, pending");
});

step("associate the source with an event bus", async ({ page }) => {
  await page.getByRole("link", { name: "Open the partner event source" }).click();
  await page.locator(".badge.PENDING").waitFor();
  await accessible(page, "source, pending");
  await page.getByRole("button", { name: "Associate with event bus" }).click();
  await page.getByText("is associated with its event bus").waitFor();
  await accessible(page, "source, active");
  await page.getByRole("link", { name: "AWS: Partner event sources" }).click();
  await accessible(page, "sources");
  await page.getByRole("link", { name: "AWS: Event buses" }).click();
  await accessible(page, "buses");
  await page.getByRole("link", { name: "aws.partner/scalr.com/local/prod" }).click();
  await accessible(page, "bus, empty");
});

step("create a rule, after testing its pattern", async ({ page }) => {
  await page.getByRole("link", { name: "Create rule" }).click();
  await page.getByLabel("Name", { exact: true }).fill("runs");
  await page.getByLabel("Description").fill('<b>${path.module} "; rm');
  await accessible(page, "rule, step 1");
  await page.getByRole("button", { name: "Next" }).click();
  const pattern = page.getByLabel("Event pattern: custom pattern");
  const whole = await pattern.inputValue();
  await pattern.fill('{"detail-type": ["RunExecuted"], "detail": {"event": {"result": ["errored"]}}}');
  await page.getByRole("button", { name: "Test pattern" }).click();
  await page.getByText("does not match: `detail.event.result` wants").waitFor();
  await accessible(page, "rule, step 2, a miss");
  await pattern.fill(whole);
  await page.getByRole("button", { name: "Test pattern" }).click();
  await page.getByText("The sample event matched the pattern.").waitFor();
  await accessible(page, "rule, step 2");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Log group").fill("/aws/events/scalr");
  await accessible(page, "rule, step 3");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Tags").fill("team=platform\nnote=${x}");
  await accessible(page, "rule, step 4");
  await page.getByRole("button", { name: "Next" }).click();
  await accessible(page, "rule, step 5");
  await page.getByRole("button", { name: "Create rule" }).click();
  await page.getByText("The rule was created.").waitFor();
  await accessible(page, "rule");
});

step("refresh the status", async ({ page }) => {
  await page.getByRole("link", { name: "Open the connection" }).click();
  await page.getByRole("link", { name: "Find the broken link" }).click();
  await page.getByRole("heading", { name: "Connection: broken" }).waitFor();
  await accessible(page, "chain");
  await page.getByRole("link", { name: "prod", exact: true }).click();
  await page.getByRole("button", { name: "Refresh status" }).click();
  await page.locator("#standing .badge.active").waitFor();
});

step("what AWS does not take is listed, and purged once that is confirmed", async ({ page, dev }) => {
  for (const failed of [1, 2]) {
    await refuseNext(dev);
    await page.getByRole("button", { name: "Start a run" }).click();
    await page.locator(".live").getByText("failed").nth(failed - 1).waitFor({ timeout: PATIENCE_MS });
  }
  await accessible(page, "connection, with failed events");
  await page.getByRole("link", { name: "Deliveries", exact: true }).click();
  await page.getByRole("heading", { name: "Deliveries" }).waitFor();
  await page.getByRole("link", { name: "failed (2)" }).waitFor();
  await accessible(page, "deliveries, failed");
  const purge = page.getByRole("button", { name: /^Purge: run-/ }).first();
  assert.match(await answered(page, purge, false), /Purge this event\?/);
  await page.getByRole("link", { name: "failed (2)" }).waitFor();
  await answered(page, purge, true);
  await page.getByText("1 delivery: were purged.").waitFor();
  await page.getByText("List some of them").click();
  await page.getByLabel("Event", { exact: true }).fill("run-none");
  await page.getByRole("button", { name: "List", exact: true }).click();
  await page.getByText("None.", { exact: true }).waitFor();
  await accessible(page, "deliveries, narrowed");
  await page.getByRole("link", { name: "failed (1)" }).click();
  assert.match(await answered(page, page.getByRole("button", { name: "Purge all" }), true), /Purge all of these/);
  await page.getByRole("link", { name: "failed (0)" }).waitFor();
});

step("select the connection for audit logs", async ({ page }) => {
  await page.getByRole("link", { name: "Audit logs" }).click();
  await page.getByLabel("prod (123456789012, us-east-1, active)").check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("The setting was saved.").waitFor();
  await accessible(page, "audit logs");
});

step("a run's event is seen live, and is in the log group", async ({ page }) => {
  await page.getByRole("link", { name: "Integrations" }).click();
  await accessible(page, "integrations");
  // The stream begins with word that has the page load its figures: from then on nothing is missed.
  const live = page.waitForResponse((answer) => answer.url().endsWith("/standing"));
  await page.getByRole("link", { name: "prod" }).click();
  await live;
  await page.getByRole("button", { name: "Start a run" }).click();
  await page.getByText("was started.").waitFor();
  await page.locator(".live").getByText("delivered").first().waitFor({ timeout: PATIENCE_MS });
  await accessible(page, "connection, active");
  await page.getByRole("link", { name: "Open the log group" }).click();
  await page.getByText("RunExecuted, network, applied").waitFor({ timeout: PATIENCE_MS });
  await accessible(page, "log group");
  await page.getByRole("link", { name: "AWS: Log groups" }).click();
  await accessible(page, "log groups");
});

step("a delivered event is sent again once that is confirmed", async ({ page }) => {
  await page.getByRole("link", { name: "Integrations" }).click();
  await page.getByRole("link", { name: "prod" }).click();
  await page.getByRole("link", { name: "Deliveries", exact: true }).click();
  await page.getByRole("link", { name: /^delivered/ }).click();
  await accessible(page, "deliveries, delivered");
  const again = page.getByRole("button", { name: /^Send again: run-/ }).first();
  assert.match(await answered(page, again, true), /Consumers receive it once more/);
  await page.getByText("1 delivery: are to be sent again").waitFor();
  await page.getByRole("link", { name: "AWS: Log groups" }).click();
});

step("what was clicked plans empty against what is shown", async ({ page, dev }) => {
  await page.getByRole("link", { name: "Integrations" }).click();
  await page.getByRole("link", { name: "prod" }).click();
  const hcl = await shown(page);
  // Connection, bus, rule, target, activation, audit-log setting.
  plansEmpty(hcl, dev.variables, 6);
});

step("pause holds events and says so, resume sends them", async ({ page }) => {
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("The connection is paused: events are held.").waitFor();
  await page.getByRole("button", { name: "Start a run" }).click();
  await page.getByRole("heading", { name: "Held events" }).waitFor({ timeout: PATIENCE_MS });
  await accessible(page, "connection, paused");
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("heading", { name: "Held events" }).waitFor({ state: "detached", timeout: PATIENCE_MS });
});

step("a rule that is disabled meets no event, and meets them again once it is enabled", async ({ page }) => {
  await toRule(page);
  await page.getByRole("button", { name: "Disable" }).click();
  await page.getByText("The rule is disabled: it matches no event.").waitFor();
  await page.getByText("State: disabled").waitFor();
  await accessible(page, "rule, disabled");
  const unmet = await runToTheLogGroup(page);
  await toRule(page);
  await page.getByRole("button", { name: "Enable" }).click();
  await page.getByText("The rule is enabled").waitFor();
  await page.getByRole("button", { name: "Disable" }).waitFor();
  const met = await runToTheLogGroup(page);
  await page.locator("#events", { hasText: met }).waitFor({ timeout: PATIENCE_MS });
  const events = await page.locator("#events").textContent();
  assert.ok(!events.includes(unmet), "the event of a run while the rule was disabled has arrived");
});

step("a rule is deleted once that is confirmed, and the log group stays", async ({ page }) => {
  await toRule(page);
  const button = page.getByRole("button", { name: "Delete" });
  assert.match(await answered(page, button, false), /Delete this rule with its targets\?/);
  await page.getByRole("heading", { name: "runs", exact: true }).waitFor();
  assert.match(await answered(page, button, true), /Delete this rule with its targets\?/);
  await page.getByText("The rule was deleted, with its targets and their permissions.").waitFor();
  await page.getByText("the bus has no rule").waitFor();
  await accessible(page, "bus, its rule deleted");
  await page.getByRole("link", { name: "AWS: Log groups" }).click();
  await page.getByRole("link", { name: "/aws/events/scalr" }).click();
  await page.locator("#events").getByText("RunExecuted, network, applied").first().waitFor();
});

step("the keyboard is enough, and sign-out ends the session", async ({ page, dev }) => {
  await page.goto(new URL("/console/integrations", dev.link).href);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.getByRole("button", { name: "Sign out" }).press("Enter");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await accessible(page, "sign in");
  // What is wrong is found.
  await page.evaluate(() => document.querySelector("main").append(document.createElement("button")));
  await assert.rejects(accessible(page, "a button without a name"), /button-name/);
  await page.reload();
  await page.getByLabel("Token").fill(dev.variables.SCALR_TOKEN);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Integrations: AWS EventBridge" }).waitFor();
});

const dev = await start();
const browser = await chromium.launch({ executablePath: CONSOLE_CHROMIUM, args: ["--no-sandbox"] });
let [passed, failed] = [0, 0];
try {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  await context.addInitScript({ content: axe });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const troubles = [];
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
  page.on("pageerror", (error) => troubles.push(String(error)));
  const heavy = [];
  const wire = await context.newCDPSession(page);
  await wire.send("Network.enable");
  await wire.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  wire.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  page.on("framenavigated", () => {
    if (bytes > BYTES_MAX) heavy.push(`${page.url()}: ${bytes} bytes before`);
    bytes = 0;
  });
  for (const { name, run } of steps) {
    const begin = Date.now();
    try {
      await run({ page, dev });
      assert.deepEqual(troubles.splice(0), [], "the browser complains");
      assert.deepEqual(heavy.splice(0), [], "pages are too heavy");
      passed += 1;
      console.log(`ok      ${name} (${Date.now() - begin} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}\nat ${page.url()}\n${troubles.join("\n")}`);
      // The later steps begin where this one ends.
      break;
    }
  }
} finally {
  await browser.close();
  dev.process.kill("SIGTERM");
}
console.log(`  console in chromium   ${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed === steps.length ? 0 : 1);
