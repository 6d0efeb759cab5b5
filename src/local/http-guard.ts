// Keeps web pages out: the keys of the local host are published, and its address is no secret. A
// page that names us by a name of its own (DNS rebinding), or sends a request here from elsewhere,
// is told by what every browser puts into its requests. What no browser sent passes as before.
import type { IncomingMessage } from "node:http";

type Asked = Pick<IncomingMessage, "headers">;

/** Why a request to the host on `port` is not answered; undefined where it is. */
export function refusal({ headers }: Asked, port: number | undefined): string | undefined {
  const { host, origin } = headers;
  if (host !== undefined && !isOurs(host, port)) {
    return `Refused: this host answers only as localhost:${port} or 127.0.0.1:${port}.\n`;
  }
  const site = headers["sec-fetch-site"];
  const isForeign = origin !== undefined && origin !== `http://${String(host)}`;
  if (isForeign || site === "cross-site" || site === "same-site") {
    return "Refused: a web page of another origin asked for this.\n";
  }
  return undefined;
}

/** A name or an address that nobody else can be reached under, with our port. */
function isOurs(host: string, port: number | undefined): boolean {
  const [, name = "", given = "80"] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host) ?? [];
  const isLoopback = /^(([^/?#@\\]+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(name);
  return isLoopback && Number(given) === port;
}
