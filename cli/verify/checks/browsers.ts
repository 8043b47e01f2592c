import { type Check, expectSame, expectThat, NotCheckable } from '../check.ts';
import { ask } from '../requests.ts';
import type { World } from '../world.ts';

const FOREIGN_ORIGIN = 'https://usher-verify.invalid';

/** The rights of pages of other origins. */
export const browsers: Check[] = [
  {
    name: 'answers a preflight of an allowed origin',
    run: async (world) => {
      const origin = allowedOrigin(world);
      const { status, headers } = await preflight(world, origin);
      expectSame('the status', status, 204);
      expectSame('Access-Control-Allow-Origin', headers.get('access-control-allow-origin'), origin);
      const allowed = headers.get('access-control-allow-headers')?.toLowerCase() ?? '';
      expectThat(allowed.includes('authorization'), `the allowed headers are "${allowed}"`);
      return undefined;
    },
  },
  {
    name: 'allows a foreign origin nothing',
    run: async (world) => {
      const { headers } = await preflight(world, FOREIGN_ORIGIN);
      expectSame('Access-Control-Allow-Origin', headers.get('access-control-allow-origin'), null);
      return undefined;
    },
  },
  {
    name: 'lets a page of an allowed origin read an error',
    run: async (world) => {
      const origin = allowedOrigin(world);
      const { status, headers } = await ask(world, { token: null, headers: { origin } });
      expectSame('the status', status, 401);
      expectSame('Access-Control-Allow-Origin', headers.get('access-control-allow-origin'), origin);
      return undefined;
    },
  },
];

const preflight = (world: World, origin: string) =>
  ask(world, {
    method: 'OPTIONS',
    token: null,
    body: '',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });

function allowedOrigin({ allowedOrigin }: World): string {
  if (allowedOrigin === undefined) throw new NotCheckable('no origin is allowed by configuration');
  return allowedOrigin;
}
