import findMyWay from 'find-my-way';
import type { MethodDescription } from '../api-template.ts';

export interface RouteMatch {
  route: MethodDescription;
  /** Percent-decoded, as a REST API hands them on. */
  pathParameters: Record<string, string>;
}

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const;

/**
 * Routes as a REST API does.
 *
 * AWS documents nothing on slashes at the end or one after another. Deployed APIs were seen to pass over both when they
 * look for the resource (recorded in the tests of https://github.com/localstack/localstack, test_apigateway_lambda.py), so
 * it is so here: that is the harder case for a function that answers by the path.
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
    // A resource with another method only is passed over for a less specific one that has the method, `{proxy+}` in the
    // end: measured on a deployed API in https://github.com/ministackorg/ministack/pull/1423.
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
