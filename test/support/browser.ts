// A real headless Chromium for the page, and a watch over it: whatever a browser complains about is
// kept, and a test ends by looking that it is nothing. Nothing is downloaded; a Chromium of the
// system is used, or the one that HOLDFAST_CHROMIUM names.
import { accessSync, constants, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { LOCAL_KEYS } from "../../src/local/host.ts";

const PROGRAM_FILES = ["C:/Program Files", "C:/Program Files (x86)"];
const PLACES = [
  process.env["HOLDFAST_CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ...PROGRAM_FILES.map((folder) => `${folder}/Google/Chrome/Application/chrome.exe`),
];

function isProgram(path: string | undefined): path is string {
  try {
    if (path === undefined || path === "") return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Undefined where this machine has none. */
export const CHROMIUM: string | undefined = PLACES.find(isProgram);

/** Where a browser must be there: a build server that skips these tests would prove nothing. */
export const NEEDS_BROWSER: boolean = process.env["CI"] === "true";

export function launchBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error("no Chromium: name one with HOLDFAST_CHROMIUM");
  // As root Chromium runs only so; the pages here are our own.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

export interface Screen {
  readonly scheme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
}

export interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the browser complained about, and what the page should not have done. */
  readonly problems: readonly string[];
  /** Answers of at least 400, as `status path`: the page may ask for what is not there. */
  readonly refusals: readonly string[];
}

/** A page of its own, with nothing kept from another. */
export async function openPage(
  browser: Browser,
  appUrl: string,
  { scheme = "light", width = 1280, height = 800 }: Screen = {},
): Promise<Watched> {
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width, height },
    locale: "en-GB",
    timezoneId: "UTC",
  });
  const page = await context.newPage();
  const problems: string[] = [];
  const refusals: string[] = [];
  page.on("console", (message) => {
    // The browser's own line about an answer of 400 or more; `refusals` has those.
    if (message.text().startsWith("Failed to load resource")) return;
    if (message.type() === "error" || message.type() === "warning") {
      problems.push(`console: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => problems.push(`error: ${String(error)}`));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const { origin } = new URL(request.url());
    if (origin !== new URL(appUrl).origin) problems.push(`asked elsewhere: ${request.url()}`);
  });
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (response.status() >= 400) refusals.push(`${response.status()} ${pathname}`);
  });
  await page.addInitScript(
    `addEventListener("securitypolicyviolation", (event) =>
       console.error("policy: " + event.violatedDirective + " " + event.blockedURI));`,
  );
  return { page, context, problems, refusals };
}

/** Opens `hash` as a reader sees it who has given the key before and ticked to keep it. */
export async function signIn(page: Page, appUrl: string, hash = "#/jobs"): Promise<void> {
  const key = JSON.stringify(LOCAL_KEYS.host);
  await page.goto(`${appUrl}/api/ui/favicon.svg`);
  await page.evaluate(`sessionStorage.setItem("holdfast.key", ${key})`);
  await page.goto(`${appUrl}/api/ui${hash}`);
  await page.getByRole("button", { name: "Forget the key" }).waitFor();
}

/** Opens `hash` and gives the key in the form. */
export async function enterKey(page: Page, appUrl: string, hash = "#/jobs"): Promise<void> {
  await page.goto(`${appUrl}/api/ui${hash}`);
  await page.getByLabel("Function key").fill(LOCAL_KEYS.host);
  await page.getByLabel("Keep it for this tab").check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Forget the key" }).waitFor();
}

/** Goes to another place of the page without loading it anew. */
export async function visit(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeNode {
  readonly target: readonly string[];
  readonly failureSummary: string;
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly AxeNode[];
  }[];
}

/** What the rules of WCAG 2.2 and axe's best practices find, one line each. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  // Animations would be judged in mid-course.
  await page.emulateMedia({ reducedMotion: "reduce" });
  if ((await page.evaluate("typeof window.axe")) === "undefined") await page.evaluate(AXE);
  const found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  return (found as AxeResult).violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => {
      return `${id}: ${help}: ${target.join(" ")}: ${failureSummary}`;
    }),
  );
}
