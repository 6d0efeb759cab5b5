// Where http_request may go: hostile URLs, addresses that are not public, names that lie.
import { expect, test } from "vitest";
import { WorkflowError } from "../../../src/core/error.ts";
import { HttpAllowList, isPublicAddress } from "../../../src/tasks/http-address.ts";
import type { HttpAddress } from "../../../src/tasks/http-address.ts";
import { httpRequestHandler } from "../../../src/tasks/http-request.ts";
import { NO_TARGETS, PRIVATE_URLS } from "../../support/hostile-urls.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { taskFailure } from "../../support/run-task.ts";

/** Fails the test when a name is looked up that should have been refused before. */
const noLookup = (): Promise<readonly HttpAddress[]> => {
  throw new Error("a lookup that should not happen");
};

function answering(...addresses: string[]) {
  const answers = addresses.map((address) => ({
    address,
    family: address.includes(":") ? 6 : 4,
  }));
  return () => Promise.resolve(answers);
}

function failure(url: string, lookup: () => Promise<readonly HttpAddress[]> = noLookup) {
  const handler = httpRequestHandler({ allow: [], lookup }, manualClock());
  return taskFailure(handler, { url });
}


test.each(PRIVATE_URLS)("%j is refused without a lookup or a retry", async (url) => {
  const { code, message, retryable } = await failure(url);
  expect({ code, retryable }).toEqual({ code: "HTTP_FAILED", retryable: false });
  expect(message).toContain("private or reserved");
});


test.each(NO_TARGETS)("%j is no URL to call", async (url) => {
  const { code, message } = await failure(url);
  expect(code).toBe("PARAMS_INVALID");
  expect(message).toContain("/url");
  expect(message).not.toContain("secret");
});

const LYING_NAMES: readonly [name: string, addresses: readonly string[]][] = [
  ["loopback", ["127.0.0.1"]],
  ["a metadata service", ["169.254.169.254"]],
  ["loopback in IPv6", ["::1"]],
  ["a mapped address", ["::ffff:10.0.0.1"]],
  ["a link-local address with a zone", ["fe80::1%eth0"]],
  ["a public and a private address", ["93.184.216.34", "10.0.0.1"]],
  ["a private and a public address", ["192.168.0.1", "93.184.216.34"]],
  ["something that is no address", ["localhost"]],
  ["an octal form", ["0177.0.0.1"]],
  ["an empty address", [""]],
];

test.each(LYING_NAMES)("a name that resolves to %s is refused", async (_name, addresses) => {
  const { code, message, retryable } = await failure(
    "http://innocent.example/path?key=secret",
    answering(...addresses),
  );
  expect({ code, retryable }).toEqual({ code: "HTTP_FAILED", retryable: false });
  expect(message).toContain("innocent.example");
  expect(message).not.toMatch(/secret|path|10\.0|192\.168/);
});

test.each(["localhost", "LOCALHOST", "localhost.", "x.localhost"])(
  "%s is a name like any other and resolves to a refused address",
  async (host) => {
    const { message } = await failure(`http://${host}/`, answering("127.0.0.1", "::1"));
    expect(message).toContain("private or reserved");
  },
);

test("a name that does not resolve is tried again", async () => {
  const missing = Object.assign(new Error("getaddrinfo ENOTFOUND x"), { code: "ENOTFOUND" });
  expect(await failure("http://x.example/", () => Promise.reject(missing))).toEqual({
    code: "HTTP_FAILED",
    message: "x.example cannot be resolved (ENOTFOUND)",
    retryable: true,
  });
  expect(await failure("http://x.example/", answering())).toMatchObject({ retryable: true });
});

const PUBLIC = [
  "1.1.1.1",
  "93.184.216.34",
  "172.15.255.255",
  "172.32.0.1",
  "100.63.255.255",
  "168.63.129.17",
  "2606:4700:4700::1111",
  "2a00:1450:4001::1",
  "::ffff:1.1.1.1",
  "64:ff9b::101:101",
  "2002:101:101::1",
];
test.each(PUBLIC)("%s is public", (address) => expect(isPublicAddress(address)).toBe(true));

test.each(["", "x", "1.1.1", "0x1010101", "1.1.1.1 ", "[::1]", "::ffff:168.63.129.16"])(
  "%j is not public",
  (address) => expect(isPublicAddress(address)).toBe(false),
);

const ALLOWED: readonly [entry: string, url: string, allowed: boolean][] = [
  ["localhost", "http://localhost/", true],
  ["localhost", "https://LOCALHOST:9999/x", true],
  ["localhost", "http://localhost./", true],
  ["localhost", "http://x.localhost/", false],
  ["localhost", "http://localhost.example/", false],
  ["localhost", "http://127.0.0.1/", false],
  ["LocalHost:8080", "http://localhost:8080/", true],
  ["localhost:8080", "http://localhost:8081/", false],
  ["localhost:80", "http://localhost/", true],
  ["localhost:80", "https://localhost/", false],
  ["localhost:443", "https://localhost/", true],
  ["localhost:0080", "http://localhost/", true],
  [" 127.0.0.1:7071 ", "http://127.0.0.1:7071/", true],
  ["127.0.0.1", "http://2130706433/", true],
  ["127.1", "http://127.0.0.1/", true],
  ["127.0.0.1", "http://127.0.0.2/", false],
  ["[::1]", "http://[0::1]:5/", true],
  ["[::1]:5", "http://[::1]:5/", true],
  ["[::1]:5", "http://[::1]:6/", false],
  ["bücher.example", "http://xn--bcher-kva.example/", true],
];
test.each(ALLOWED)("the entry %j and %s: %s", (entry, url, allowed) => {
  expect(new HttpAllowList([entry]).allows(new URL(url))).toBe(allowed);
});

const NO_ENTRIES = [
  "", " ", "*", "*.example.com", "http://localhost", "localhost/path", "a b", "a:b", "a:0",
  "a:65536", "a:", ":80", "user@host", "::1", "[::1", "10.0.0.0/8", "a?b", "a#b", "%6c",
];
test.each(NO_ENTRIES)("the entry %j is refused when the program starts", (entry) => {
  expect(() => new HttpAllowList(["fine.example", entry])).toThrow(/HOLDFAST_HTTP_ALLOW/);
});

test("an entry that is refused is told by its place, for it may hold a password", () => {
  const entries = ["fine.example", "https://user:c4nary@intranet.example/x"];
  const told = "HOLDFAST_HTTP_ALLOW: entry 2: expected host or host:port, got something else";
  const refused = new WorkflowError("CONFIGURATION_INVALID", told);
  expect(() => new HttpAllowList(entries)).toThrow(refused);
});
