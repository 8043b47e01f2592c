import type { SealSummary } from '../../../lambda/sealer/seal.ts';
import { type Check, deploymentOf, expectSame, expectThat, NotCheckable } from '../check.ts';
import type { DeployedFunction } from '../stack.ts';
import type { World } from '../world.ts';

/** Whether the audit is sealed, in a bucket that keeps what it has. */
export const seals: Check[] = [
  {
    name: 'go to a bucket that takes objects once, over TLS only',
    run: async (world) => {
      const { call } = deploymentOf(world);
      const Bucket = bucketOf(world);
      const { Policy = '{}' } = await call<{ Policy?: string }>('s3', 'GetBucketPolicy', { Bucket });
      const { Statement: statements = [] } = JSON.parse(Policy) as { Statement?: Statement[] };
      const denies = (operator: string, key: string, value: string) =>
        statements.some(
          ({ Effect, Condition }) => Effect === 'Deny' && String(Condition?.[operator]?.[key]) === value,
        );
      expectThat(
        denies('Null', 's3:if-none-match', 'true'),
        `${Bucket} takes an object for a key that has one`,
      );
      expectThat(denies('Bool', 'aws:SecureTransport', 'false'), `${Bucket} takes requests without TLS`);
      return Bucket;
    },
  },
  {
    name: 'are versioned and locked',
    run: async (world) => {
      const { call } = deploymentOf(world);
      const Bucket = bucketOf(world);
      const { Status } = await call<{ Status?: string }>('s3', 'GetBucketVersioning', { Bucket });
      expectSame('the versioning', Status, 'Enabled');
      const { ObjectLockConfiguration } = await call<LockAnswer>('s3', 'GetObjectLockConfiguration', {
        Bucket,
      }).catch((error: Error) => {
        if (error.name !== 'ObjectLockConfigurationNotFoundError') throw error;
        throw new NotCheckable(`${Bucket} has no lock, as \`seals.lock\` of none asks`);
      });
      const { Mode, Days, Years } = ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
      expectThat(Mode !== undefined, `${Bucket} locks objects, but has no default retention`);
      return `${Mode.toLowerCase()}, ${Days === undefined ? `${Years} years` : `${Days} days`}`;
    },
  },
  {
    name: 'have every hour that is due, once the sealer has run',
    run: async (world) => {
      const { call } = deploymentOf(world);
      const { FunctionError, Payload } = await call<{ FunctionError?: string; Payload?: Uint8Array }>(
        'lambda',
        'Invoke',
        { FunctionName: `${sealerOf(world).FunctionName}:live`, Payload: '{}' },
      );
      const payload = Buffer.from(Payload ?? []).toString();
      expectThat(FunctionError === undefined, `the sealer failed (${FunctionError}): ${payload}`);
      const { unsealed, broken, newest } = JSON.parse(payload) as SealSummary;
      expectSame('broken seals', broken, 0);
      expectSame('hours without a seal', unsealed, 0);
      return `to ${newest}`;
    },
  },
];

interface Statement {
  Effect: string;
  Condition?: Record<string, Record<string, string | boolean>>;
}

interface LockAnswer {
  ObjectLockConfiguration?: {
    Rule?: { DefaultRetention?: { Mode?: string; Days?: number; Years?: number } };
  };
}

/** @throws NotCheckable if the audit is not sealed */
function sealerOf(world: World): DeployedFunction {
  const { sealer } = deploymentOf(world).stack;
  if (sealer === undefined) throw new NotCheckable('seals are off by configuration');
  return sealer;
}

function bucketOf(world: World): string {
  return sealerOf(world).Environment?.Variables?.SEAL_BUCKET_NAME ?? '';
}
