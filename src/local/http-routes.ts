// The table of HTTP functions: which function answers a method and a path. The first function in
// the order of names wins, whatever its route; the method is part of the route, so a wrong one is
// no match at all.

import type { AppFunction } from "./app-loader.ts";
import type { Environment } from "./host-json.ts";
import { matchRoute, parseRoute, type RouteTemplate, type RouteValues } from "./route-template.ts";
import { StartupProblem } from "./startup-problem.ts";

export type AuthLevel = "anonymous" | "function" | "admin";

export interface HttpRoute {
  readonly target: AppFunction;
  readonly template: RouteTemplate;
  readonly methods: readonly string[];
  readonly authLevel: AuthLevel;
  readonly disabled: boolean;
}

const LEVELS: readonly AuthLevel[] = ["anonymous", "function", "admin"];
const RESERVED = ["admin", "runtime"];

/** `functions` must be in the host's order. Throws where Azure would leave a function out. */
export function httpRoutes(
  functions: readonly AppFunction[],
  routePrefix: string,
  env: Environment,
): readonly HttpRoute[] {
  const routes: HttpRoute[] = [];
  for (const target of functions) {
    if (target.trigger.type.toLowerCase() === "httptrigger") {
      const route = httpRoute(target, routePrefix, env);
      refuseConflict(route, routes);
      routes.push(route);
    }
  }
  return routes;
}

/** The first route that fits, in order. */
export function findRoute(
  routes: readonly HttpRoute[],
  method: string,
  path: string,
): { readonly route: HttpRoute; readonly values: RouteValues } | undefined {
  for (const route of routes) {
    if (route.methods.includes(method.toUpperCase())) {
      const values = matchRoute(route.template, path);
      if (values !== undefined) {
        return { route, values };
      }
    }
  }
  return undefined;
}

/** App setting `AzureWebJobs.<name>.Disabled`. */
export function isDisabled(target: AppFunction, env: Environment): boolean {
  const setting = env[`AzureWebJobs.${target.name}.Disabled`] ?? "";
  return /^(true|1)$/i.test(setting);
}

function httpRoute(target: AppFunction, routePrefix: string, env: Environment): HttpRoute {
  const { route, methods, authLevel } = target.trigger;
  const given = typeof route === "string" ? route.replace(/^\/+|\/+$/g, "") : "";
  const own = given === "" ? target.name : given;
  const reserved = RESERVED.find((word) => own.toLowerCase().startsWith(word));
  if (reserved !== undefined) {
    throw new StartupProblem(
      `Function "${target.name}": the host refuses routes that start with "${reserved}".`,
    );
  }
  const level = LEVELS.find((known) => known === String(authLevel).toLowerCase());
  if (level === undefined) {
    throw new StartupProblem(`Function "${target.name}": no auth level ${String(authLevel)}.`);
  }
  const declared: readonly unknown[] = Array.isArray(methods) ? methods : [];
  return {
    target,
    template: parseRoute(routePrefix === "" ? own : `${routePrefix}/${own}`),
    methods: declared.map((method) => String(method).toUpperCase()),
    authLevel: level,
    disabled: isDisabled(target, env),
  };
}

function refuseConflict(route: HttpRoute, earlier: readonly HttpRoute[]): void {
  const rival = earlier.find(
    (other) =>
      other.template.text.toLowerCase() === route.template.text.toLowerCase() &&
      other.methods.some((method) => route.methods.includes(method)),
  );
  if (rival !== undefined) {
    throw new StartupProblem(
      `Functions "${rival.target.name}" and "${route.target.name}" have the same route `
        + `"${route.template.text}" and a method in common; Azure would not load the second.`,
    );
  }
}
