import { DescribeContinuousBackupsCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { type Check, deploymentOf, expectSame, expectThat, NotCheckable } from '../check.ts';
import { ask } from '../requests.ts';
import { ofType, type StackResource } from '../stack.ts';
import type { World } from '../world.ts';
import { apiIdOf } from './gateway.ts';

/** AWS's rule `Log4JRCE` of the known bad inputs blocks it in any place. */
const KNOWN_BAD_INPUT = `\${jndi:ldap://usher-verify.invalid/}`;

/** The configured options, and the protection of the records. */
export const settings: Check[] = [
  {
    name: 'has its firewall before the stage',
    run: async (world) => {
      const { call } = deploymentOf(world);
      only(world, 'AWS::WAFv2::WebACLAssociation', 'the firewall is off by configuration');
      const { webAclArn } = await call<{ webAclArn?: string }>('api-gateway', 'GetStage', {
        restApiId: apiIdOf(world),
        stageName: only(world, 'AWS::ApiGateway::Stage', 'the stack has no stage').PhysicalResourceId,
      });
      expectThat(webAclArn !== undefined, 'the stage has no web ACL');
      return undefined;
    },
  },
  {
    name: 'blocks a known attack with 403 ForbiddenException',
    run: async (world) => {
      only(world, 'AWS::WAFv2::WebACLAssociation', 'the firewall is off by configuration');
      if (world.kind !== 'aws') throw new NotCheckable("only AWS's firewall has AWS's rules");
      const { status, headers } = await ask(world, { headers: { 'x-verify': KNOWN_BAD_INPUT } });
      expectSame('the status', status, 403);
      expectSame('x-amzn-ErrorType', headers.get('x-amzn-errortype'), 'ForbiddenException');
      return undefined;
    },
  },
  {
    name: 'answers by published versions, through the alias',
    run: async (world) => {
      const { call, stack } = deploymentOf(world);
      const versions: string[] = [];
      for (const { FunctionName } of [stack.handler, stack.reconciler]) {
        const { FunctionVersion, RoutingConfig } = await call<{
          FunctionVersion: string;
          RoutingConfig?: { AdditionalVersionWeights?: Record<string, number> };
        }>('lambda', 'GetAlias', { FunctionName, Name: 'live' });
        expectThat(
          /^\d+$/.test(FunctionVersion),
          `the alias of ${FunctionName} points to ${FunctionVersion}`,
        );
        const weights = Object.keys(RoutingConfig?.AdditionalVersionWeights ?? {});
        versions.push(weights.length > 0 ? `${FunctionVersion} (canary of ${weights})` : FunctionVersion);
      }
      return `versions ${versions.join(' and ')}`;
    },
  },
  {
    name: 'has CodeDeploy to move the alias',
    run: async (world) => {
      only(world, 'AWS::CodeDeploy::DeploymentGroup', 'deployments go all at once by configuration');
      throw new NotCheckable(
        'a canary only shows while a new version is deployed: deploy a change and run this again',
      );
    },
  },
  {
    name: 'answers at its domain name only',
    run: async (world) => {
      only(world, 'AWS::ApiGateway::DomainName', 'no domain name is configured');
      if (world.kind !== 'aws') throw new NotCheckable("the name is not known to the emulator's clients");
      const own = `${apiIdOf(world)}.execute-api.${world.region}.${suffixOf(world.region)}`;
      const stage = only(world, 'AWS::ApiGateway::Stage', 'the stack has no stage').PhysicalResourceId;
      const { status } = await ask({ ...world, apiUrl: `https://${own}/${stage}` }, { token: null });
      expectSame(`the status at ${own}`, status, 403);
      return undefined;
    },
  },
  {
    name: 'encrypts its tables with a key in KMS',
    run: async (world) => {
      deploymentOf(world);
      if (world.kind !== 'aws') throw new NotCheckable('the emulator encrypts nothing');
      const keys = new Set<string | undefined>();
      for (const TableName of [...recordTables(world), world.tables.openIntentTableName]) {
        const { Table } = await world.tables.client.send(new DescribeTableCommand({ TableName }));
        const { SSEType, Status, KMSMasterKeyArn } = Table?.SSEDescription ?? {};
        expectSame(`the encryption of ${TableName}`, [SSEType, Status], ['KMS', 'ENABLED']);
        keys.add(KMSMasterKeyArn?.split('/').at(-1));
      }
      return `key ${[...keys].join(', ')}`;
    },
  },
  {
    name: 'protects its records from deletion',
    run: async (world) => {
      deploymentOf(world);
      for (const TableName of recordTables(world)) {
        const { Table } = await world.tables.client.send(new DescribeTableCommand({ TableName }));
        expectSame(`DeletionProtectionEnabled of ${TableName}`, Table?.DeletionProtectionEnabled, true);
      }
      return undefined;
    },
  },
  {
    name: 'can restore its records to any second',
    run: async (world) => {
      deploymentOf(world);
      if (world.kind !== 'aws') throw new NotCheckable('the emulator restores nothing');
      for (const TableName of recordTables(world)) {
        const { ContinuousBackupsDescription } = await world.tables.client.send(
          new DescribeContinuousBackupsCommand({ TableName }),
        );
        expectSame(
          `PointInTimeRecoveryStatus of ${TableName}`,
          ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus,
          'ENABLED',
        );
      }
      return undefined;
    },
  },
];

/** @throws NotCheckable if the stack has none of them */
function only(world: World, type: string, why: string): StackResource {
  const [resource] = ofType(deploymentOf(world).stack.resources, type);
  if (resource === undefined) throw new NotCheckable(why);
  return resource;
}

const recordTables = ({ tables }: World): string[] => [tables.auditTableName, tables.admissionTableName];

const suffixOf = (region: string): string =>
  region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
