// The only reader of the environment. Says everything that is wrong at once, each with what to set,
// and never throws: functions register first, and readiness tells what is missing.
// An empty value counts as unset. No issue repeats a value: it may be a secret.
import * as z from "zod";
import { FIELD_NAME } from "../core/definition.ts";
import type { Issue } from "../core/error.ts";
import { MAX_RETENTION_DAYS, MIN_RETENTION_DAYS, RETENTION_SECONDS } from "../core/limits.ts";
import type { Retention } from "../core/retention.ts";
import { safeParse } from "../core/safe-parse.ts";
import { cosmosConnection, queueConnection } from "./connection-settings.ts";
import type { CosmosConnection, QueueConnection } from "./connection-settings.ts";
import { ncrontabProblem } from "./ncrontab.ts";
import { DEFAULT_SCHEDULE } from "./sweep-schedule.ts";
import { telemetrySettings } from "./telemetry-settings.ts";
import type { TelemetrySettings } from "./telemetry-settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  /** A developer's machine: containers are made automatically, emulators are accepted. */
  readonly development: boolean;
  readonly cosmos: CosmosConnection;
  readonly database: string;
  readonly queues: QueueConnection;
  readonly workflowsDir: string;
  /** Hosts that `http_request` may reach although their address is private. */
  readonly httpAllow: readonly string[];
  readonly allowRebuild: boolean;
  readonly allowRedefine: boolean;
  /** `platform`: sign-in is switched on, so the principal header is the platform's own. */
  readonly auth: "keys" | "platform";
  /** The role whose holders see and cancel every job, where sign-in is on. */
  readonly adminRole: string;
  /** Of one caller in one process; 0 for no bound. */
  readonly submitRatePerMinute: number;
  readonly submitBurst: number;
  readonly readRatePerMinute: number;
  /** Requests that one process holds until their job moves; 0 for none. */
  readonly maxHeldRequests: number;
  /** Jobs that have not ended; 0 for no cap. */
  readonly maxOpenJobs: number;
  readonly maxOpenJobsPerCaller: number;
  /** HOLDFAST_VAR_<name>, as the raw text; the definition's var tells the type. */
  readonly vars: Readonly<Record<string, string>>;
  /** HOLDFAST_SECRET_<NAME>; for Secrets alone, which hands them to handlers. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly leaseSeconds: number;
  readonly renewSeconds: number;
  readonly resendSeconds: number;
  /** NCRONTAB, six fields. */
  readonly sweepSchedule: string;
  readonly refreshSeconds: number;
  /** How long jobs that have ended are kept, by their status. */
  readonly retentionSeconds: Retention;
  /** Endings younger than this are left for the next fold of the numbers over all jobs. */
  readonly statsDelaySeconds: number;
  /** Base of the URLs we answer, without a slash at the end. */
  readonly publicUrl?: string;
  /** Absent: no traces, no metrics. */
  readonly telemetry?: TelemetrySettings;
  /** The share of jobs whose trace is kept, from 0 to 1. */
  readonly traceRatio: number;
  /** How often telemetry is sent. */
  readonly telemetrySeconds: number;
}

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * What the exporter for Application Insights reads of the environment by itself, and only there:
 * nothing is told to Microsoft about the exporter, nor to the user's bill about the machine.
 */
export const EXPORTER_SETTINGS = {
  APPLICATION_INSIGHTS_NO_STATSBEAT: "true",
  APPLICATIONINSIGHTS_SDKSTATS_DISABLED: "true",
  APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED: "true",
} as const;

const VAR_PREFIX = "HOLDFAST_VAR_";
const SECRET_PREFIX = "HOLDFAST_SECRET_";
/** What the platform leaves in a setting whose vault it could not read. */
const UNRESOLVED = "@Microsoft.KeyVault(";

const DAY_SECONDS = 24 * 3600;

const text = z.string();

const flag = z.enum(["1", "true", "0", "false"], { error: "expected 1, true, 0 or false" });

const seconds = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,4}(\.\d{1,3})?$/, { error: "expected seconds, such as 60 or 1.5" })
    .transform(Number)
    .pipe(z.number().min(0.1, { error: "expected 0.1 or more" }).max(3600))
    .default(fallback);

const count = (fallback: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: "expected a whole number, 0 for no bound" })
    .transform(Number)
    .default(fallback);

const DAYS_EXPECTED = `expected whole days, ${MIN_RETENTION_DAYS} to ${MAX_RETENTION_DAYS}`;
const days = z
  .string()
  .regex(/^\d{1,4}$/, { error: DAYS_EXPECTED })
  .transform(Number)
  .pipe(z.number({ error: DAYS_EXPECTED }).min(MIN_RETENTION_DAYS).max(MAX_RETENTION_DAYS))
  .transform((count) => count * DAY_SECONDS)
  .default(RETENTION_SECONDS);

const schema = z.object({
  AZURE_FUNCTIONS_ENVIRONMENT: text.default("Production"),
  HOLDFAST_DATABASE: text
    .regex(/^[^/\\?#]{1,255}$/, { error: "expected 1 to 255 characters without / \\ ? #" })
    .default("holdfast"),
  HOLDFAST_WORKFLOWS_DIR: text.default("./workflows"),
  HOLDFAST_HTTP_ALLOW: text.default("").transform(listOf),
  HOLDFAST_ALLOW_REBUILD: flag.default("0").transform(isOn),
  HOLDFAST_ALLOW_REDEFINE: flag.default("0").transform(isOn),
  HOLDFAST_AUTH: z
    .enum(["keys", "platform"], { error: 'expected "keys" or "platform"' })
    .default("keys"),
  HOLDFAST_ADMIN_ROLE: text
    .regex(/^[\x21-\x7e]{1,120}$/, { error: "expected 1 to 120 characters without spaces" })
    .default("Holdfast.Admin"),
  WEBSITE_AUTH_ENABLED: text.default("false"),
  HOLDFAST_SUBMIT_RATE_PER_MINUTE: count(12_000),
  HOLDFAST_SUBMIT_BURST: text
    .regex(/^[1-9]\d{0,8}$/, { error: "expected a whole number of at least 1" })
    .transform(Number)
    .exactOptional(),
  HOLDFAST_READ_RATE_PER_MINUTE: count(60_000),
  HOLDFAST_MAX_HELD_REQUESTS: count(8),
  HOLDFAST_MAX_OPEN_JOBS: count(100_000),
  HOLDFAST_MAX_OPEN_JOBS_PER_CALLER: count(0),
  HOLDFAST_LEASE_SECONDS: seconds(60),
  HOLDFAST_RENEW_SECONDS: seconds(40),
  HOLDFAST_RESEND_SECONDS: seconds(60),
  HOLDFAST_REFRESH_SECONDS: seconds(2),
  HOLDFAST_RETAIN_COMPLETED_DAYS: days,
  HOLDFAST_RETAIN_FAILED_DAYS: days,
  HOLDFAST_RETAIN_CANCELLED_DAYS: days,
  HOLDFAST_STATS_DELAY_SECONDS: count(30),
  HOLDFAST_SWEEP_SCHEDULE: text
    .superRefine((schedule, context) => {
      const message = ncrontabProblem(schedule);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .default(DEFAULT_SCHEDULE),
  HOLDFAST_TRACE_RATIO: text
    .regex(/^(?:0(?:\.\d{1,6})?|1(?:\.0{1,6})?)$/, { error: "expected a number from 0 to 1" })
    .transform(Number)
    .default(1),
  HOLDFAST_TELEMETRY_SECONDS: seconds(15),
  HOLDFAST_PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: "expected an http or https URL" })
    .transform((url) => url.replace(/\/+$/, ""))
    .exactOptional(),
});

export function readSettings(env: Environment): SettingsResult {
  const given = withoutEmpty(env);
  const parsed = safeParse(schema, given);
  const issues: Issue[] = parsed.success ? [] : parsed.error.issues.map(asIssue);
  const development = given["AZURE_FUNCTIONS_ENVIRONMENT"] === "Development";
  const cosmos = cosmosConnection(given, development);
  const queues = queueConnection(given, development);
  const vars = namedSettings(given, VAR_PREFIX, "a var");
  const secrets = namedSettings(given, SECRET_PREFIX, "a secret");
  const telemetry = telemetrySettings(given);
  issues.push(...cosmos.issues, ...queues.issues, ...vars.issues, ...secrets.issues);
  issues.push(...telemetry.issues);
  if (parsed.success) issues.push(...clashes(parsed.data, development));
  if (
    issues.length > 0 ||
    !parsed.success ||
    cosmos.value === undefined ||
    queues.value === undefined
  ) {
    return { ok: false, issues };
  }
  const { data } = parsed;
  return {
    ok: true,
    settings: {
      development,
      cosmos: cosmos.value,
      database: data.HOLDFAST_DATABASE,
      queues: queues.value,
      workflowsDir: data.HOLDFAST_WORKFLOWS_DIR,
      httpAllow: data.HOLDFAST_HTTP_ALLOW,
      allowRebuild: data.HOLDFAST_ALLOW_REBUILD,
      allowRedefine: data.HOLDFAST_ALLOW_REDEFINE,
      auth: data.HOLDFAST_AUTH,
      adminRole: data.HOLDFAST_ADMIN_ROLE,
      submitRatePerMinute: data.HOLDFAST_SUBMIT_RATE_PER_MINUTE,
      submitBurst: data.HOLDFAST_SUBMIT_BURST ?? data.HOLDFAST_SUBMIT_RATE_PER_MINUTE,
      readRatePerMinute: data.HOLDFAST_READ_RATE_PER_MINUTE,
      maxHeldRequests: data.HOLDFAST_MAX_HELD_REQUESTS,
      maxOpenJobs: data.HOLDFAST_MAX_OPEN_JOBS,
      maxOpenJobsPerCaller: data.HOLDFAST_MAX_OPEN_JOBS_PER_CALLER,
      vars: vars.value,
      secrets: resolved(secrets.value),
      leaseSeconds: data.HOLDFAST_LEASE_SECONDS,
      renewSeconds: data.HOLDFAST_RENEW_SECONDS,
      resendSeconds: data.HOLDFAST_RESEND_SECONDS,
      sweepSchedule: data.HOLDFAST_SWEEP_SCHEDULE,
      refreshSeconds: data.HOLDFAST_REFRESH_SECONDS,
      retentionSeconds: retentionOf(data),
      statsDelaySeconds: data.HOLDFAST_STATS_DELAY_SECONDS,
      ...(data.HOLDFAST_PUBLIC_URL === undefined ? {} : { publicUrl: data.HOLDFAST_PUBLIC_URL }),
      ...(telemetry.value === undefined ? {} : { telemetry: telemetry.value }),
      traceRatio: data.HOLDFAST_TRACE_RATIO,
      telemetrySeconds: data.HOLDFAST_TELEMETRY_SECONDS,
    },
  };
}

function retentionOf(data: z.output<typeof schema>): Retention {
  return {
    completed: data.HOLDFAST_RETAIN_COMPLETED_DAYS,
    failed: data.HOLDFAST_RETAIN_FAILED_DAYS,
    cancelled: data.HOLDFAST_RETAIN_CANCELLED_DAYS,
  };
}

/** Settings that are fine each for itself, but not together. */
function clashes(data: z.output<typeof schema>, development: boolean): readonly Issue[] {
  const issues: Issue[] = [];
  if (data.HOLDFAST_RENEW_SECONDS >= data.HOLDFAST_LEASE_SECONDS) {
    issues.push({
      message: "HOLDFAST_RENEW_SECONDS: expected less than HOLDFAST_LEASE_SECONDS",
      hint: "a lease that is renewed after it ended is lost every time",
    });
  }
  if (!development && trustsClients(data)) {
    issues.push({
      message: "HOLDFAST_AUTH: platform, but WEBSITE_AUTH_ENABLED does not say that sign-in is on",
      hint: "switch App Service authentication on; without it anybody may claim to be anybody",
    });
  }
  return issues;
}

/** The platform sets WEBSITE_AUTH_ENABLED itself where it puts its own principal headers in. */
function trustsClients(data: z.output<typeof schema>): boolean {
  return data.HOLDFAST_AUTH === "platform" && data.WEBSITE_AUTH_ENABLED.toLowerCase() !== "true";
}

function withoutEmpty(env: Environment): Readonly<Record<string, string>> {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const trimmed = value?.trim() ?? "";
    if (trimmed !== "") given[name] = trimmed;
  }
  return given;
}

interface NamedSettings {
  readonly value: Readonly<Record<string, string>>;
  readonly issues: readonly Issue[];
}

/** The settings that begin so, by what follows; an issue says their name, never their value. */
function namedSettings(
  given: Readonly<Record<string, string>>,
  prefix: string,
  what: string,
): NamedSettings {
  const value: Record<string, string> = {};
  const issues: Issue[] = [];
  for (const [setting, one] of Object.entries(given)) {
    if (!setting.startsWith(prefix)) continue;
    const name = setting.slice(prefix.length);
    if (FIELD_NAME.test(name)) value[name] = one;
    else {
      issues.push({
        message: `${setting}: expected the name of ${what} after ${prefix}`,
        hint: "a letter first, then letters, digits, _, at most 64 characters",
      });
    }
  }
  return { value, issues };
}

/** An unread reference is no secret: whoever needs it is told that it is missing. */
function resolved(secrets: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const known = Object.entries(secrets).filter(([, value]) => !value.startsWith(UNRESOLVED));
  return Object.fromEntries(known);
}

function listOf(value: string): readonly string[] {
  return value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

function isOn(value: "1" | "true" | "0" | "false"): boolean {
  return value === "1" || value === "true";
}

function asIssue(issue: z.core.$ZodIssue): Issue {
  return { message: `${issue.path.join(".")}: ${issue.message}` };
}
