import findMyWay from 'find-my-way';
import type { MethodDescription } from '../api-template.ts';

export interface RouteMatch {
  route: MethodDescription;
  /** Percent-decoded, as a REST API passes them on. */
  pathParameters: Record<string, string>;
}

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const;

/**
 * Routes like a REST API.
 *
 * AWS does not document trailing and doubled slashes. Deployed APIs were observed to ignore both when they look for the
 * resource (recorded in the tests of https://github.com/localstack/localstack, test_apigateway_lambda.py), and so does
 * this gateway: it is the harder case for a function that answers by the path.
 *
 * @returns finds the route of a method and a raw path without query
 */
export function createRoutes(methods: MethodDescription[]) {
  const router = findMyWay({
    maxParamLength: 10_240,
    ignoreTrailingSlash: true,
    ignoreDuplicateSlashes: true,
  });
  for (const [resource, ofResource] of Map.groupBy(methods, (method) => method.resource)) {
    const byName = new Map(ofResource.map((method) => [method.method, method]));
    for (const name of METHODS) {
      const route = byName.get(name) ?? byName.get('ANY');
      if (route !== undefined) router.on(name, routerPath(resource), () => {}, route);
    }
  }
  return (method: string, path: string): RouteMatch | undefined => {
    // A resource without the method loses to a less specific one that has it, `{proxy+}` last: measured on a deployed
    // API in https://github.com/ministackorg/ministack/pull/1423.
    const found = (METHODS as readonly string[]).includes(method)
      ? router.find(method as (typeof METHODS)[number], path)
      : null;
    if (found === null) return undefined;
    const route = found.store as MethodDescription;
    return { route, pathParameters: nameParameters(route.resource, found.params) };
  };
}

function routerPath(resource: string): string {
  return resource.replace(/\{[^}]+\+\}$/, '*').replace(/\{([^}]+)\}/g, ':$1');
}

function nameParameters(resource: string, found: Record<string, string | undefined>): Record<string, string> {
  const greedyName = /\{([^}]+)\+\}$/.exec(resource)?.[1] ?? '*';
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => [name === '*' ? greedyName : name, value ?? '']),
  );
}
