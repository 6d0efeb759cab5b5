// The page in a real browser, on the real local host: the key, the list, a job that runs while it
// is looked at, cancelling, submitting, a thousand items, failures, and what the file says today.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import {
  CHROMIUM,
  NEEDS_BROWSER,
  enterKey,
  launchBrowser,
  openPage,
  signIn,
  visit,
} from "../support/browser.ts";
import type { Watched } from "../support/browser.ts";
import { startGate } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { BROKEN_JOB, EVERY_INPUT, MANY_ITEMS, gatedWorkflow } from "../support/ui-workflows.ts";

test("a browser is there where the tests of the page may not be left out", () => {
  if (NEEDS_BROWSER) expect(CHROMIUM, "CI=true and no Chromium").toBeDefined();
});

const ITEMS = 1000;
/** The numbers over all jobs are counted each second, and at once. */
const QUICK_NUMBERS = {
  HOLDFAST_SWEEP_SCHEDULE: "*/1 * * * * *",
  HOLDFAST_STATS_DELAY_SECONDS: "0",
};

describe.skipIf(CHROMIUM === undefined)("the page (needs Chromium, see docs/ui.md)", () => {
  let fixture: AppFixture;
  let gate: Gate;
  let app: StartedApp;
  let browser: Browser;
  const opened: Watched[] = [];

  beforeAll(async () => {
    [fixture, gate, browser] = await Promise.all([appFixture(), startGate(), launchBrowser()]);
    app = await fixture.start({
      env: { ...QUICK_NUMBERS, HOLDFAST_HTTP_ALLOW: `127.0.0.1:${gate.port}` },
      workflows: {
        "gated.yaml": gatedWorkflow(gate.port),
        "broken_job.yaml": BROKEN_JOB,
        "many_items.yaml": MANY_ITEMS,
        "every_input.yaml": EVERY_INPUT,
      },
    });
  });
  afterAll(async () => {
    await browser.close();
    await fixture.stop();
    await gate.close();
  });
  afterEach(async () => {
    const complaints = opened.flatMap(({ problems }) => problems);
    for (const { context } of opened.splice(0)) await context.close();
    if (complaints.length > 0) throw new Error(complaints.join("\n"));
  });

  async function open(): Promise<Watched> {
    const watched = await openPage(browser, app.url);
    opened.push(watched);
    return watched;
  }

  async function signedIn(hash: string): Promise<Page> {
    const { page } = await open();
    await signIn(page, app.url, hash);
    return page;
  }

  const rows = (page: Page) => page.locator("table.jobs tbody tr");
  const heading = (page: Page) => page.locator(".job-header");

  test("a wrong key is refused with words, a right one opens the list", async () => {
    const { page, refusals } = await open();
    await page.goto(`${app.url}/api/ui`);
    // No header can carry this one.
    await page.getByLabel("Function key").fill("„key“");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("only ASCII letters").waitFor();
    await page.getByLabel("Function key").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("The app answered 401").waitFor();
    expect(refusals).toEqual(["401 /api/v1/jobs"]);
    await page.getByLabel("Function key").fill("holdfast-local-key");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Jobs", level: 1 }).waitFor();
    expect(page.url()).not.toContain("holdfast-local-key");
    expect(await page.evaluate("JSON.stringify([localStorage, sessionStorage])")).toBe("[{},{}]");
    await page.reload();
    await page.getByLabel("Function key").waitFor();
  });

  test("a key that is ticked stays for the tab, and is forgotten when told", async () => {
    const { page } = await open();
    await enterKey(page, app.url);
    await page.reload();
    await page.getByRole("heading", { name: "Jobs", level: 1 }).waitFor();
    expect(await page.evaluate("localStorage.length")).toBe(0);
    await page.getByRole("button", { name: "Forget the key" }).click();
    await page.getByLabel("Function key").waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
  });

  test("a key that stops working leads back to the form and says why", async () => {
    const page = await signedIn("#/jobs");
    await page.evaluate(`sessionStorage.setItem("holdfast.key", "stale")`);
    await page.reload();
    await page.getByRole("alert").getByText("The key was refused (401)").waitFor();
  });

  test("the list shows new jobs by itself, and its filters live in the address", async () => {
    const page = await signedIn("#/jobs");
    await app.submit("broken_job", { tags: ["paper"], correlation_id: "order 7" });
    const row = rows(page).filter({ hasText: "order 7" });
    await row.locator('[data-status="failed"]').waitFor();
    await row.getByText("NO_PAPER").waitFor();
    const numbers = page.getByRole("region", { name: "Numbers over all jobs" });
    await numbers.getByText("Failed").waitFor();
    await app.run("every_input", { input_params: { title: "abc" } });
    await rows(page).filter({ hasText: "every_input" }).first().waitFor();
    await page.getByLabel("failed").check();
    await rows(page).filter({ hasText: "every_input" }).first().waitFor({ state: "detached" });
    expect(page.url()).toContain("status=failed");
    await row.getByRole("link", { name: "paper" }).click();
    await page.getByLabel("Tag").waitFor();
    expect(await page.getByLabel("Tag").inputValue()).toBe("paper");
    await page.goBack();
    await page.getByRole("link", { name: "Clear all" }).waitFor();
    expect(await page.getByLabel("failed").isChecked()).toBe(true);
  });

  test("a running job is followed to its end, branch by branch", async () => {
    const jobId = await app.submit("gated", { input_params: { door: "live" } });
    const page = await signedIn(`#/jobs/${jobId}`);
    const node = (id: string) => page.locator(`#node-${id}`);
    await page.locator('#node-door[data-status="running"]').waitFor();
    expect(await node("say").getAttribute("data-status")).toBe("completed");
    expect(await node("brief").getAttribute("data-status")).toBe("pending");
    await heading(page).getByText("running", { exact: true }).waitFor();
    gate.open("live");
    await heading(page).getByText("completed", { exact: true }).waitFor();
    await page.getByText("The job is now completed").waitFor({ state: "attached" });
    const edge = (ends: string) => page.locator(`[data-edge="${ends}"]`).getAttribute("class");
    expect(await edge("pick brief")).toContain("taken");
    expect(await edge("pick wordy")).toContain("dead");
    expect(await edge("door rescue")).toMatch(/error.*dead/);
    expect(await node("wordy").getAttribute("data-status")).toBe("skipped");
    await page.getByText("100 %").waitFor();
  });

  test("a node opens beside the graph with its output and log, and closes again", async () => {
    const { job_id } = await app.run("every_input", { input_params: { title: "look at me" } });
    const page = await signedIn(`#/jobs/${job_id}`);
    await page.locator("#node-say").click();
    const panel = page.getByRole("complementary", { name: "say" });
    await panel.getByRole("region", { name: "Output of say" }).getByText("look at me").waitFor();
    await panel.getByText("handler 1").waitFor();
    expect(page.url()).toContain(`#/jobs/${job_id}/nodes/say`);
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.id")).toBe("node-say");
  });

  test("the other tabs show inputs, result, timeline, history and provenance", async () => {
    const job = await app.run("every_input", { input_params: { title: "tabs" } });
    const page = await signedIn(`#/jobs/${job.job_id}`);
    const tab = (name: string) => page.getByRole("tab", { name }).click();
    await tab("Inputs");
    await page.getByText('"ratio": 0.5').waitFor();
    await tab("Result");
    await page.getByRole("region", { name: "Output of say" }).getByText("tabs").waitFor();
    await tab("Timeline");
    await page.locator(".timeline").getByRole("link", { name: "say" }).waitFor();
    await page.getByText("The timeline as a table").click();
    await page.getByRole("region", { name: "Timeline" }).getByText("attempt 1").waitFor();
    await tab("Events");
    await page.getByText("job_completed").waitFor();
    expect(await page.locator("table.events tbody tr").count()).toBe(
      (await app.events(job.job_id)).length,
    );
    await tab("Provenance");
    await page.getByText(job.workflow_digest).waitFor();
    await tab("Definition");
    await page.getByText("pattern:").waitFor();
    await page.getByText("Same as today's file.").waitFor();
    await tab("Errors");
    await page.getByText("Nothing went wrong.").waitFor();
  });

  test("cancelling asks first, and keeps the reason", async () => {
    const jobId = await app.submit("gated", { input_params: { door: "shut" } });
    await gate.waiting("shut", 1);
    const page = await signedIn(`#/jobs/${jobId}`);
    const dialog = page.getByRole("dialog", { name: "Cancel this job?" });
    await page.getByRole("button", { name: "Cancel job…" }).click();
    await dialog.getByRole("button", { name: "Keep it running" }).click();
    await dialog.waitFor({ state: "hidden" });
    expect((await app.job(jobId)).status).toBe("running");
    await page.getByRole("button", { name: "Cancel job…" }).click();
    await dialog.getByLabel("Reason").fill("wrong word");
    await dialog.getByRole("button", { name: "Cancel the job" }).click();
    await heading(page).getByText("cancelled", { exact: true }).waitFor();
    await heading(page).getByText("wrong word").waitFor();
    expect(await page.getByRole("button", { name: "Cancel job…" }).count()).toBe(0);
  });

  test("the form checks and submits, and says what is wrong beside each field", async () => {
    const page = await signedIn("#/workflows/every_input");
    await page.getByRole("link", { name: "Submit a job" }).click();
    const field = (name: string) => page.locator(`[data-field="input.${name}"]`);
    await page.getByLabel("title", { exact: true }).fill("Not lower case");
    await page.getByLabel("count", { exact: true }).fill("99");
    await page.getByRole("button", { name: "Check" }).click();
    await field("title").getByText("[a-z ]+", { exact: false }).nth(1).waitFor();
    await field("count").getByText("expected at most 5, got 99").waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("input.title");
    await page.getByLabel("list", { exact: true }).fill("[1, 2");
    await page.getByRole("button", { name: "Submit", exact: true }).click();
    await field("list").getByText("expected JSON").waitFor();
    await page.getByLabel("title", { exact: true }).fill("a fine one");
    await page.getByLabel("count", { exact: true }).fill("3");
    await page.getByLabel("list", { exact: true }).fill('[1, "two"]');
    await page.getByLabel("map", { exact: true }).fill('{"deep": {"er": null}}');
    await page.getByLabel("flag", { exact: true }).selectOption("true");
    await page.getByLabel("colour", { exact: true }).selectOption({ label: "green" });
    await page.getByLabel("Tags").fill("one, two");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("A job could start with this.").waitFor();
    await page.getByRole("button", { name: "Submit", exact: true }).click();
    await heading(page).getByText("completed", { exact: true }).waitFor();
    const jobId = /jobs\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? "";
    const [job, { body }] = [await app.job(jobId), await app.get(`/jobs/${jobId}/snapshot`)];
    expect(job["tags"]).toEqual(["one", "two"]);
    expect(job["idempotency_key"]).toMatch(/^ui-[0-9a-f]{24}$/);
    expect(body["inputs"]).toEqual({
      title: "a fine one",
      count: 3,
      ratio: 0.5,
      flag: true,
      colour: "green",
      list: [1, "two"],
      map: { deep: { er: null } },
    });
  });

  test("a thousand items are one node with counts", async () => {
    const items = Array.from({ length: ITEMS }, (_, index) => index);
    const jobId = await app.submit("many_items", { input_params: { items } });
    const page = await signedIn(`#/jobs/${jobId}`);
    await heading(page).getByText("completed", { exact: true }).waitFor();
    await page.locator("#node-each").getByText("990 of 1,000, 10 failed").waitFor();
    expect(await page.locator("svg .node").count()).toBe(4);
    await page.getByRole("link", { name: /^each fan_out · completed 990 of/ }).waitFor();
    await page.getByRole("tab", { name: "Timeline" }).click();
    await page.locator(".timeline").getByText("32 chunks, 1,000 items").waitFor();
  });

  test("a failed job says where and why, with every attempt", async () => {
    const { job_id } = await app.run("broken_job");
    const page = await signedIn(`#/jobs/${job_id}`);
    await heading(page).getByText("the printer is out of paper").waitFor();
    await heading(page).getByRole("link", { name: "try_it" }).click();
    const panel = page.getByRole("complementary", { name: "try_it" });
    await panel.locator("ol.attempts > li").nth(2).waitFor();
    expect(await panel.locator("ol.attempts > li").count()).toBe(3);
    expect(await page.locator("#node-try_it").getAttribute("data-status")).toBe("failed");
  });

  test("a job whose file was edited says so, and shows both texts", async () => {
    const { job_id } = await app.run("gated", { input_params: { word: "drift", door: "live" } });
    app.write("gated.yaml", gatedWorkflow(gate.port, 2));
    const page = await signedIn(`#/jobs/${job_id}`);
    const mark = page.locator("[data-drift]");
    await mark.getByText("new jobs get another one").waitFor();
    await mark.getByRole("link", { name: "Compare the two" }).click();
    const changed = (kind: string) => page.locator(`table.diff td.${kind}`).allInnerTexts();
    await page.locator("table.diff td.added").first().waitFor();
    expect((await changed("removed")).join("\n")).toMatch(/^−.*version: 1/s);
    expect((await changed("added")).join("\n")).toMatch(/^\+.*version: 2/s);
    app.write("gated.yaml", gatedWorkflow(gate.port).replace("word }} v1", "word }} again"));
    await page.reload();
    await mark.getByText("something else under the same version").waitFor();
    app.remove("gated.yaml");
    await page.reload();
    await mark.getByText("The workflow has no file today.").waitFor();
    expect(await mark.getAttribute("data-drift")).toBe("gone");
    app.write("gated.yaml", `# A remark.\n${gatedWorkflow(gate.port)}`);
    await page.reload();
    await mark.getByText("only its text differs").waitFor();
    await visit(page, "#/workflows");
    await page.getByRole("link", { name: "Gated" }).waitFor();
  });
});
