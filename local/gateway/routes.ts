import findMyWay from 'find-my-way';

/** Where a method of a resource leads. */
export interface Route {
  /** The path as the API document has it: `/meetings/{MeetingId}/attendees`. */
  resource: string;
  functionArn: string;
  timeoutMs: number;
}

export interface RouteMatch {
  route: Route;
  /** Percent-decoded, as a REST API hands them on. */
  pathParameters: Record<string, string>;
}

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const;

/** The longest that a REST API waits, unless the integration says less. */
const DEFAULT_TIMEOUT_MS = 29_000;

/**
 * Reads the routes of an OpenAPI document with API Gateway's extensions.
 *
 * @returns `findRoute` finds the route of a method and a raw path without query; `functionArns` are all that are named
 * @throws where the document asks the gateway for something that is not modelled here
 */
export function readRoutes(document: Record<string, unknown>) {
  const router = findMyWay({ maxParamLength: 10_240 });
  const functionArns = new Set<string>();
  const paths = (document['paths'] ?? {}) as Record<string, Record<string, unknown>>;
  for (const [resource, item] of Object.entries(paths)) {
    for (const method of METHODS) {
      const operation = item[method.toLowerCase()] ?? item['x-amazon-apigateway-any-method'];
      if (operation === undefined) continue;
      const route = readRoute(resource, operation as Record<string, unknown>);
      functionArns.add(route.functionArn);
      router.on(method, routerPath(resource), () => {}, route);
    }
  }
  const findRoute = (method: string, path: string): RouteMatch | undefined => {
    // A resource with another method only is passed over for a less specific one that has the method, `{proxy+}` in the
    // end: measured on a deployed API in https://github.com/ministackorg/ministack/pull/1423.
    const found = (METHODS as readonly string[]).includes(method)
      ? router.find(method as (typeof METHODS)[number], path)
      : null;
    if (found === null) return undefined;
    const route = found.store as Route;
    return { route, pathParameters: nameParameters(route.resource, found.params) };
  };
  return { findRoute, functionArns };
}

function readRoute(resource: string, operation: Record<string, unknown>): Route {
  const integration = operation['x-amazon-apigateway-integration'] as
    | { type: string; uri: string; timeoutInMillis?: number }
    | undefined;
  if (integration?.type.toLowerCase() !== 'aws_proxy') {
    throw new Error(`${resource}: the local gateway knows the integration type aws_proxy only.`);
  }
  for (const extension of ['x-amazon-apigateway-request-validator', 'x-amazon-apigateway-auth']) {
    if (extension in operation) throw new Error(`${resource}: the local gateway does not know ${extension}.`);
  }
  const [, functionArn] = /:lambda:path\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(
    integration.uri,
  ) ?? [undefined, undefined];
  if (functionArn === undefined)
    throw new Error(`${resource}: no Lambda function in the uri ${integration.uri}.`);
  return { resource, functionArn, timeoutMs: integration.timeoutInMillis ?? DEFAULT_TIMEOUT_MS };
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
