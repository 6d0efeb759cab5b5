// What `http_request` takes and gives, and the rules for headers and status codes.
// Refused are headers that frame the message, name another host, or open a metadata service.
import * as z from "zod";
import { urlProblem } from "./http-address.ts";
import { jsonValue } from "./json-value.ts";

const MAX_TIMEOUT_SECONDS = 300;
const MAX_HEADERS = 50;
/** A chain that is longer is a mistake or a trap; browsers give up after 20. */
export const MAX_REDIRECTS = 5;
const MAX_URL_CHARS = 8192;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, spaces and tabs; anything else has no agreed encoding. */
const HEADER_VALUE = /^[\t\u{20}-\u{7e}]*$/u;
/** Set by us, or by whoever carries the message, or read by a service that trusts the sender. */
const FORBIDDEN_HEADERS: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "forwarded",
  "host",
  "idempotency-key",
  "keep-alive",
  "metadata",
  "metadata-flavor",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "x-identity-header",
]);
const FORBIDDEN_PREFIXES = [
  "proxy-",
  "x-aws-ec2-metadata-",
  "x-forwarded-",
  "x-ms-client-principal",
];
/** Headers of an answer that are kept; others may hold cookies and tokens. */
export const KEPT_HEADERS = [
  "cache-control",
  "content-language",
  "content-type",
  "date",
  "etag",
  "last-modified",
  "link",
  "location",
  "retry-after",
  "x-request-id",
] as const;

const query = z.union([z.string(), z.number(), z.boolean()]);
const status = z.union([
  z.int().min(100).max(599),
  z.string().regex(/^[1-5](?:xx|\d\d)$/, { error: "expected a status such as 404 or 2xx" }),
]);

export function httpParams(maxBytes: number) {
  return z
    .strictObject({
      method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]).default("GET"),
      url: z
        .string()
        .max(MAX_URL_CHARS)
        .superRefine((text, context) => {
          const problem = urlProblem(text);
          if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
        })
        .describe("http or https, without credentials."),
      headers: z
        .record(z.string(), z.string().max(8192).regex(HEADER_VALUE))
        .default({})
        .superRefine((headers, context) => {
          for (const message of headerProblems(Object.keys(headers))) {
            context.addIssue({ code: "custom", message });
          }
        }),
      query: z
        .record(z.string(), z.union([query, z.array(query)]))
        .default({})
        .describe("Added to the URL; a list repeats its name."),
      body: jsonValue
        .default(null)
        .describe("A string is sent as it stands, anything else as JSON; null sends no body."),
      timeout_seconds: z.number().min(0.001).max(MAX_TIMEOUT_SECONDS).default(30),
      max_redirects: z
        .int()
        .min(0)
        .max(MAX_REDIRECTS)
        .default(MAX_REDIRECTS)
        .describe("How many to follow; 0 takes a redirect for an answer."),
      expect_status: z.array(status).min(1).max(50).default(["2xx"]),
      max_bytes: z.int().min(1).max(maxBytes).default(maxBytes).describe("Of the answer's body."),
      response: z
        .enum(["auto", "json", "text"])
        .default("auto")
        .describe("How to read the body; auto goes by its content type."),
    })
    .refine(({ method, body }) => body === null || (method !== "GET" && method !== "HEAD"), {
      error: "GET and HEAD take no body",
      path: ["body"],
    });
}

export type HttpParams = z.output<ReturnType<typeof httpParams>>;

export const httpOutput = z.strictObject({
  status: z.int(),
  headers: z.record(z.string(), z.string()).describe(`Of: ${KEPT_HEADERS.join(", ")}.`),
  body: jsonValue.describe("Parsed JSON, or text; null for an empty body that is not text."),
  bytes: z.int(),
  url: z.string().describe("Where the answer came from, without its query."),
});

export type HttpOutput = z.output<typeof httpOutput>;

function headerProblems(names: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const problems = names.flatMap((name) => {
    const lower = name.toLowerCase();
    if (!HEADER_NAME.test(name)) return [`expected a header name, got "${name.slice(0, 64)}"`];
    if (seen.has(lower)) return [`the header "${lower}" is there twice`];
    seen.add(lower);
    return isForbiddenHeader(lower) ? [`the header "${lower}" cannot be set`] : [];
  });
  if (names.length > MAX_HEADERS) problems.push(`expected at most ${MAX_HEADERS} headers`);
  return problems;
}

function isForbiddenHeader(name: string): boolean {
  return FORBIDDEN_HEADERS.has(name) || FORBIDDEN_PREFIXES.some((start) => name.startsWith(start));
}

export function isExpected(code: number, expected: HttpParams["expect_status"]): boolean {
  const text = String(code);
  return expected.some((entry) => String(entry) === text || entry === `${text.charAt(0)}xx`);
}

/** Time-out, too early, too many requests, and the server's own failures. */
export function isWorthRetrying(code: number): boolean {
  return code === 408 || code === 425 || code === 429 || code >= 500;
}
