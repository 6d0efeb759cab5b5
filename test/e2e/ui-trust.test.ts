// What the page must never do: run what a user typed, speak to another origin, shut out whoever
// cannot see or has no mouse, or be slow with many jobs. And how it looks, as pictures.
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { appFixture } from "../support/app-fixture.ts";
import type { AppFixture, StartedApp } from "../support/app-fixture.ts";
import {
  CHROMIUM,
  accessibilityProblems,
  launchBrowser,
  openPage,
  signIn,
  visit,
} from "../support/browser.ts";
import type { Screen, Watched } from "../support/browser.ts";
import { startGate } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import {
  BROKEN_JOB,
  EVERY_INPUT,
  HOSTILE,
  INVALID,
  MANY_ITEMS,
  SCRIPT,
  gatedWorkflow,
} from "../support/ui-workflows.ts";

const JOBS = 500;
const BATCH = 100;
/** What the first rows should take on a quiet machine; only three times as much fails. */
const FIRST_ROWS_MS = 1000;
/** The numbers over all jobs are counted each second, and at once. */
const QUICK_NUMBERS = {
  HOLDFAST_SWEEP_SCHEDULE: "*/1 * * * * *",
  HOLDFAST_STATS_DELAY_SECONDS: "0",
};
const SCREENSHOTS = process.env["HOLDFAST_SCREENSHOTS"] ?? path.join(tmpdir(), "holdfast-ui");

describe.skipIf(CHROMIUM === undefined)("the page (needs Chromium, see docs/ui.md)", () => {
  let fixture: AppFixture;
  let gate: Gate;
  let app: StartedApp;
  let browser: Browser;
  let jobs: Readonly<Record<"running" | "failed" | "many" | "drifted", string>>;
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
        "hostile.yaml": HOSTILE,
        "invalid.yaml": INVALID,
      },
    });
    gate.open("open");
    const items = Array.from({ length: 1000 }, (_, index) => index);
    const running = await app.submit("gated", { input_params: { door: "shut" } });
    const [failed, many, drifted] = await Promise.all([
      app.run("broken_job", { tags: ["paper", "floor 2"], submitted_by: "ada" }),
      app.run("many_items", { input_params: { items }, correlation_id: "order 4711" }),
      app.run("gated", { input_params: { door: "open" }, submitted_by: "ben" }),
    ]);
    await gate.waiting("shut", 1);
    app.write("gated.yaml", gatedWorkflow(gate.port, 2));
    jobs = { running, failed: failed.job_id, many: many.job_id, drifted: drifted.job_id };
  });
  afterAll(async () => {
    gate.open("shut");
    await browser.close();
    await fixture.stop();
    await gate.close();
  });
  afterEach(async () => {
    const complaints = opened.flatMap(({ problems }) => problems);
    for (const { context } of opened.splice(0)) await context.close();
    if (complaints.length > 0) throw new Error(complaints.join("\n"));
  });

  async function signedIn(hash: string, screen: Screen = {}): Promise<Page> {
    const watched = await openPage(browser, app.url, screen);
    opened.push(watched);
    await signIn(watched.page, app.url, hash);
    return watched.page;
  }

  interface View {
    readonly name: string;
    readonly hash: string;
    /** Is there once the view is whole. */
    readonly whole: string;
    readonly act?: (page: Page) => Promise<void>;
  }

  const tab = (id: string, title: string, whole: string): View => {
    return { name: title, hash: `#/jobs/${jobs.failed}?tab=${id}`, whole };
  };
  const views = (): readonly View[] => [
    { name: "list", hash: "#/jobs", whole: "table.jobs tbody tr" },
    { name: "filters", hash: "#/jobs?tag=nothing", whole: ".empty" },
    { name: "running", hash: `#/jobs/${jobs.running}`, whole: "#node-door[data-status=running]" },
    { name: "failed", hash: `#/jobs/${jobs.failed}/nodes/try_it`, whole: "ol.attempts > li" },
    { name: "many", hash: `#/jobs/${jobs.many}`, whole: "#node-each .counts" },
    { name: "drift", hash: `#/jobs/${jobs.drifted}?tab=definition`, whole: "table.diff tr" },
    tab("timeline", "timeline", ".timeline .bar"),
    tab("inputs", "inputs", "pre.block"),
    { name: "result", hash: `#/jobs/${jobs.drifted}?tab=result`, whole: "section.output" },
    tab("errors", "errors", ".tab-panel section"),
    tab("events", "events", "table.events tbody tr"),
    tab("provenance", "provenance", "code.whole"),
    { name: "workflows", hash: "#/workflows", whole: "table.cards tbody tr" },
    { name: "workflow", hash: "#/workflows/every_input", whole: "svg .node" },
    {
      name: "submit",
      hash: "#/submit/every_input",
      whole: "#input\\.title",
      act: async (page) => {
        await page.getByRole("button", { name: "Check" }).click();
        await page.locator(".field.wrong").first().waitFor();
      },
    },
    {
      name: "cancel",
      hash: `#/jobs/${jobs.running}`,
      whole: "#node-door",
      act: async (page) => {
        await page.getByRole("button", { name: "Cancel job…" }).click();
        await page.getByRole("dialog").waitFor();
      },
    },
  ];

  async function show(page: Page, { hash, whole, act }: View): Promise<void> {
    await visit(page, hash);
    await page.locator(whole).first().waitFor();
    await act?.(page);
  }

  test.each(["light", "dark"] as const)("axe finds nothing on any view, %s", async (scheme) => {
    const watched = await openPage(browser, app.url, { scheme });
    opened.push(watched);
    await watched.page.goto(`${app.url}/api/ui`);
    await watched.page.getByLabel("Function key").waitFor();
    expect(await accessibilityProblems(watched.page)).toEqual([]);
    await signIn(watched.page, app.url);
    for (const view of views()) {
      await show(watched.page, view);
      expect([view.name, await accessibilityProblems(watched.page)]).toEqual([view.name, []]);
    }
  });

  test("pictures of the views that people see most", async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    const shown = views().filter(({ name }) => {
      return ["list", "running", "failed", "many", "drift"].includes(name);
    });
    for (const scheme of ["light", "dark"] as const) {
      for (const width of [1280, 400]) {
        const page = await signedIn("#/jobs", { scheme, width, height: width === 400 ? 860 : 800 });
        await page.emulateMedia({ reducedMotion: "reduce" });
        for (const view of shown) {
          await show(page, view);
          await page.locator("[data-drift], table.jobs").first().waitFor();
          const wide = await page.evaluate("document.documentElement.scrollWidth");
          expect([view.name, wide]).toEqual([view.name, width]);
          const file = path.join(SCREENSHOTS, `${view.name}-${scheme}-${width}.png`);
          await page.evaluate("scrollTo(0, 0)");
          await page.screenshot({ path: file });
        }
      }
    }
  });

  test("whatever a user typed is shown as text and never runs", async () => {
    const labels = { tags: [SCRIPT], correlation_id: SCRIPT, submitted_by: SCRIPT };
    const failed = await app.run("hostile", { ...labels, idempotency_key: SCRIPT });
    const waiting = await app.submit("gated", {
      ...labels,
      input_params: { door: "closed", word: SCRIPT.slice(0, 40) },
    });
    await app.post(`/jobs/${waiting}/cancel`, { reason: SCRIPT });
    gate.open("closed");
    const page = await signedIn("#/jobs");
    const expectText = async (hash: string, least: number): Promise<void> => {
      await visit(page, hash);
      await page.getByText(SCRIPT).nth(least - 1).waitFor({ state: "attached" });
      // None of it has become an element.
      expect([hash, await page.locator("main img, main script").count()]).toEqual([hash, 0]);
    };
    await expectText("#/jobs", 5);
    await expectText(`#/jobs/${failed.job_id}`, 4);
    await expectText(`#/jobs/${failed.job_id}/nodes/say`, 6);
    await expectText(`#/jobs/${failed.job_id}/nodes/break`, 6);
    for (const part of ["timeline", "inputs", "result", "errors", "provenance", "definition"]) {
      await expectText(`#/jobs/${failed.job_id}?tab=${part}`, 3);
    }
    await visit(page, `#/jobs/${failed.job_id}?tab=events`);
    await page.locator("table.events").waitFor();
    await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))");
    await expectText(`#/jobs/${failed.job_id}?tab=events`, 5);
    await expectText(`#/jobs/${waiting}`, 4);
    await expectText("#/workflows", 2);
    await expectText("#/workflows/hostile", 4);
    await expectText("#/submit/hostile", 1);
    await visit(page, "#/workflows");
    await page.getByText("<b>nxt</b>").waitFor();
    await visit(page, `#/jobs/${SCRIPT}/nodes/${SCRIPT}?tab=${SCRIPT}`);
    await page.getByRole("alert").waitFor();
    expect(await page.locator("main img, main script").count()).toBe(0);
  });

  test("everything can be reached without a mouse", async () => {
    const page = await signedIn("#/jobs");
    const active = (what: string) => page.evaluate(`document.activeElement.${what}`);
    const tabTo = async (wanted: string): Promise<void> => {
      for (let steps = 0; steps < 60; steps += 1) {
        if (await active(`matches(${JSON.stringify(wanted)})`)) return;
        await page.keyboard.press("Tab");
      }
      throw new Error(`60 tabs lead nowhere near ${wanted}`);
    };
    // Begins at the document's own beginning.
    await page.reload();
    await page.locator("table.jobs tbody tr").first().waitFor();
    await page.keyboard.press("Tab");
    expect(await active("textContent")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await active("tagName")).toBe("H1");
    await tabTo(`a[href="#/jobs/${jobs.failed}"]`);
    await page.keyboard.press("Enter");
    await page.locator("#node-try_it").waitFor();
    expect(await active("tagName")).toBe("H1");
    await tabTo("[role=tab]");
    await page.keyboard.press("ArrowRight");
    expect(await active("id")).toBe("tab-timeline");
    await page.locator(".timeline").waitFor();
    await page.keyboard.press("End");
    expect(await active("id")).toBe("tab-definition");
    await page.keyboard.press("ArrowRight");
    expect(await active("id")).toBe("tab-graph");
    await tabTo("a.node");
    await page.keyboard.press("ArrowDown");
    expect(await active("id")).toBe("node-try_it");
    await page.keyboard.press("Enter");
    await page.locator("#panel-title").waitFor();
    expect(await active("id")).toBe("panel-title");
    await page.keyboard.press("Escape");
    expect(await active("id")).toBe("node-try_it");
  });

  test("five hundred jobs are listed in a moment", async () => {
    const one = { workflow_id: "every_input", input_params: { title: "one of many" } };
    for (let sent = 0; sent < JOBS; sent += BATCH) {
      const { body } = await app.post("/jobs/batch", { jobs: Array(BATCH).fill(one) });
      expect(body["accepted"]).toBe(BATCH);
    }
    const page = await signedIn("#/jobs");
    await page.reload();
    await page.locator("table.jobs tbody tr").nth(99).waitFor();
    // On the page's own clock: from the start of loading to the rows being there.
    const paint = "performance.getEntriesByName('holdfast.rows')[0].startTime";
    const tookMs = Number(await page.evaluate(paint));
    console.log(`${JOBS} jobs: first rows after ${tookMs.toFixed(0)} ms`);
    expect(tookMs).toBeLessThan(3 * FIRST_ROWS_MS);
    const rows = page.locator("table.jobs tbody tr");
    for (let pages = 1; pages < 5; pages += 1) {
      await page.getByRole("button", { name: "Show more" }).click();
      await rows.nth(pages * 100 + 99).waitFor();
    }
    expect(await rows.count()).toBe(JOBS);
  });
});
