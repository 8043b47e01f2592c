import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { build } from 'esbuild';
import { TABLES } from '../../lambda/audit/schema.ts';
import {
  addFacade,
  createForeignStack,
  flat,
  fullProduction,
  resourcesOf,
  synthesize,
  theResource,
} from '../support/synthesize.ts';

/** The rows of the table under a heading of docs/permissions.md, without the marks of code. */
function rowsUnder(heading: string): string[][] {
  const [, section = ''] = readFileSync('docs/permissions.md', 'utf8').split(`\n## ${heading}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  const rows = lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
  if (rows.length === 0) throw new Error(`docs/permissions.md has no table under "${heading}".`);
  return rows;
}

const called = rowsUnder('What the functions call');
const onBehalf = rowsUnder('What AWS does on their behalf');

const template = synthesize(fullProduction);

const SEAL_BUCKET = theResource(template, 'AWS::S3::Bucket').id;

/** By what its logical id begins with. */
const ROLES: [string, string][] = [
  ['Attendees', 'attendees'],
  ['Reconciler', 'reconciler'],
  ['Observer', 'observer'],
  ['Sealer', 'sealer'],
  ['DeploymentGroup', 'CodeDeploy'],
  ['AttendeeApi', "API Gateway's logs"],
];

/** What the tables of the document call a role, by its logical id or a reference to it. */
function roleName(id: string): string {
  const [, name] = ROLES.find(([prefix]) => id.replace(/^</, '').startsWith(prefix)) ?? [];
  if (name === undefined) throw new Error(`docs/permissions.md has no name for the role ${id}.`);
  return name;
}

/** What they call what a permission is on; a resource without a name there stands for itself, and fails the test. */
function resourceName(resource: string, role: string): string {
  const tables: Record<string, string> = {
    '<AuditTable.Arn>': 'audit table',
    '<AuditTable.Arn>/index/by-day': 'audit table, index by-day',
    '<AuditTable.Arn>/index/denials-by-day': 'audit table, index denials-by-day',
    [`<${SEAL_BUCKET}.Arn>`]: 'seal bucket',
    [`<${SEAL_BUCKET}.Arn>/usher-test/*`]: 'seals',
    '<AdmissionTable.Arn>': 'admission table',
    '<AdmissionTable.Arn>/index/by-attendee': 'admission table, index by-attendee',
    '<OpenIntentTable.Arn>': 'open intent table',
    '<EventTable.Arn>': 'event table',
    '<EventTable.Arn>/index/by-arrival': 'event table, index by-arrival',
    [`<${theResource(template, 'AWS::SQS::Queue').id}.Arn>`]: 'its dead-letter queue',
    'arn:<AWS::Partition>:chime:eu-central-1:123456789012:meeting/*': 'meetings',
    'arn:<AWS::Partition>:chime::123456789012:meeting/*': 'meetings',
    [fullProduction.encryptionKeyArn]: "the tables' key",
  };
  const [prefix = ''] = ROLES.find(([, name]) => name === role) ?? [];
  const logs = resourcesOf(template, 'AWS::Logs::LogGroup', prefix).map(({ id }) => `<${id}.Arn>`);
  return tables[resource] ?? (logs.includes(resource) ? 'its log group' : resource);
}

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Principal?: { Service: string };
}

const THROUGH_DYNAMODB = { StringEquals: { 'kms:ViaService': 'dynamodb.eu-central-1.amazonaws.com' } };

/** Every permission of the template, as `role, action, on`. */
function permissions(): string[] {
  const ofPolicies = resourcesOf(template, 'AWS::IAM::Policy').flatMap(({ Properties }) => {
    const { Statement: statements } = Properties['PolicyDocument'] as { Statement: Statement[] };
    return (Properties['Roles'] as unknown[]).flatMap((role) => {
      const name = roleName(flat(role));
      return statements.flatMap(({ Action, Resource, ...others }) => {
        // Keys are for what DynamoDB does alone; any other condition would take away what the document promises.
        const ofKeys = [Action].flat().every((action) => action.startsWith('kms:'));
        expect(others).toEqual({ Effect: 'Allow', ...(ofKeys && { Condition: THROUGH_DYNAMODB }) });
        return [Action]
          .flat()
          .flatMap((action) =>
            [Resource]
              .flat()
              .map((resource) => [name, action, resourceName(flat(resource), name)].join(', ')),
          );
      });
    });
  });
  const readyMade = resourcesOf(template, 'AWS::IAM::Role').flatMap(({ id, Properties }) => {
    expect(Properties['Policies']).toBeUndefined();
    const arns = (Properties['ManagedPolicyArns'] ?? []) as unknown[];
    return arns.map((arn) => `${roleName(id)}, "${flat(arn).split('/').at(-1)}", as the policy says`);
  });
  return distinct([...ofPolicies, ...readyMade]);
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts)].toSorted();
}

describe('the template', () => {
  it('has the permissions of docs/permissions.md, and those only', () => {
    const listed = [...called, ...onBehalf].map(([role, action, on]) => [role, action, on].join(', '));
    expect(permissions()).toEqual(distinct(listed));
  });

  it('has them nowhere but in roles and their policies', () => {
    const types = resourcesOf(template).map(({ Type }) => Type);
    const others = [
      'AWS::IAM::ManagedPolicy',
      'AWS::IAM::UserPolicy',
      'AWS::IAM::RolePolicy',
      'AWS::KMS::Key',
    ];
    expect(types.filter((type) => others.includes(type) || /(Resource|Topic)Policy$/.test(type))).toEqual([]);
    const inQueues = resourcesOf(template, 'AWS::SQS::QueuePolicy').flatMap(({ Properties }) => {
      const { Statement: statements } = Properties['PolicyDocument'] as { Statement: Statement[] };
      return statements.map(({ Effect, Action, Principal }) => [Effect, Action, flat(Principal)]);
    });
    expect(inQueues).toEqual([
      ['Deny', 'sqs:*', '{"AWS":"*"}'],
      ['Allow', 'sqs:SendMessage', '{"Service":"events.amazonaws.com"}'],
    ]);
    const inTables = resourcesOf(template, 'AWS::DynamoDB::Table').filter(
      ({ Properties }) => 'ResourcePolicy' in Properties,
    );
    expect(inTables).toEqual([]);
  });

  it('gives nothing away by the policy of the seal bucket, which only takes', () => {
    const { Properties } = theResource(template, 'AWS::S3::BucketPolicy');
    const { Statement: statements } = Properties['PolicyDocument'] as { Statement: Statement[] };
    expect(statements.map(({ Effect }) => Effect)).toEqual(statements.map(() => 'Deny'));
  });

  it('lets the documented principals assume a role or invoke a function', () => {
    const taken = resourcesOf(template, 'AWS::IAM::Role').flatMap(({ id, Properties }) => {
      const { Statement: statements } = Properties['AssumeRolePolicyDocument'] as { Statement: Statement[] };
      return statements.map(({ Action, Principal }) => {
        expect(Action).toBe('sts:AssumeRole');
        return `${Principal?.Service}, take the role ${roleName(id)}`;
      });
    });
    const invoked = resourcesOf(template, 'AWS::Lambda::Permission').map(({ Properties }) => {
      const { Action, Principal, FunctionName, SourceArn } = Properties;
      expect([Action, SourceArn]).toEqual(['lambda:InvokeFunction', expect.anything()]);
      expect(flat(FunctionName)).toMatch(/Live\w+>$/);
      return `${Principal}, invoke ${roleName(flat(FunctionName))}`;
    });
    const listed = rowsUnder('Who may take a role, and invoke a function').map(
      ([who, may]) => `${who}, ${may}`,
    );
    expect([...taken, ...invoked].toSorted()).toEqual(listed.toSorted());
  });
});

/** Call sites of the AWS SDK: what an import of one of these names, and which service it is of. */
const SERVICES: Record<string, string> = {
  '@aws-sdk/client-cloudformation': 'cloudformation',
  '@aws-sdk/client-dynamodb': 'dynamodb',
  '@aws-sdk/client-chime-sdk-meetings': 'chime',
  '@aws-sdk/client-s3': 's3',
};

/** Operations whose action has another name (Service Authorization Reference, Amazon S3). */
const ACTIONS: Record<string, (argumentText: string) => string | string[]> = {
  ListObjectsV2: () => 'ListBucket',
  ListObjectVersions: () => 'ListBucketVersions',
  // Of a version, its lock is read too.
  GetObject: (argumentText) =>
    argumentText.includes('VersionId') ? ['GetObjectVersion', 'GetObjectRetention'] : 'GetObject',
};

/** The source files that an entry point brings in, itself included, and the modules from elsewhere that they import. */
async function broughtInBy(entryPoint: string): Promise<{ files: string[]; modules: string[] }> {
  const { metafile } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  const inputs = Object.entries(metafile.inputs).filter(([file]) => file.endsWith('.ts'));
  const imports = inputs.flatMap(([, { imports }]) => imports.filter(({ external }) => external));
  return { files: inputs.map(([file]) => file), modules: distinct(imports.map(({ path }) => path)) };
}

interface Call {
  action: string;
  /** The arguments as they are written. */
  argumentText: string;
  call: string;
  file: string;
}

/**
 * Every call of an AWS service in a file: `new GetItemCommand(…)`, or `paginateQuery(…)` for page after page.
 *
 * @throws where something of the SDK is used in a form that is not understood here, and might be a call
 */
function callsIn(file: string, text = readFileSync(file, 'utf8')): Call[] {
  const blank = (hidden: string) => ' '.repeat(hidden.length);
  const withoutComments = text.replace(/\/\*.*?\*\/|^\s*\/\/[^\n]*$/gms, blank);
  const imports = [...withoutComments.matchAll(/^import (type )?\{([^}]*)\} from '(@aws-sdk\/[^']+)';/gm)];
  if (imports.length !== [...withoutComments.matchAll(/['"`]@aws-sdk\//g)].length) {
    throw new Error(`${file}: how the SDK is imported is not understood.`);
  }
  const code = withoutComments.replace(/^import [^;]*;/gm, blank);
  if (/\b(fetch|WebSocket|EventSource)\b\s*\(/.test(code)) {
    throw new Error(`${file}: what is asked directly is not seen.`);
  }
  return imports.flatMap(([, isType, names = '', from = '']) => {
    if (isType !== undefined || from === '@aws-sdk/util-dynamodb') return [];
    const service = SERVICES[from];
    if (service === undefined) throw new Error(`${file}: the permissions for ${from} are not known here.`);
    const values = names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type '));
    return values.flatMap((name) => {
      if (/^\w+(Client|Exception)$/.test(name)) return [];
      if (!/^(\w+Command|paginate\w+)$/.test(name)) {
        throw new Error(`${file}: what ${name} calls is not known here.`);
      }
      const uses = [...code.matchAll(new RegExp(`\\b${name}\\b`, 'g'))];
      const call = name.endsWith('Command') ? `new ${name}` : name;
      const sites = [...code.matchAll(new RegExp(`\\b${call}\\(`, 'g'))];
      if (sites.length === 0 || sites.length !== uses.length) {
        throw new Error(`${file}: where ${name} is called is not seen.`);
      }
      const operation = name.replace(/Command$|^paginate/, '');
      return sites.flatMap(({ 0: site, index }) => {
        const argumentText = argumentsAt(text, index + site.length - 1);
        const actions =
          operation === 'ExecuteStatement'
            ? statementAction(file, argumentText)
            : (ACTIONS[operation]?.(argumentText) ?? operation);
        return [actions].flat().map((action) => ({
          ...{ action: `${service}:${action}`, argumentText, call: name, file },
        }));
      });
    });
  });
}

/** What IAM asks for a statement: only an INSERT into a table of the settings is known here. */
function statementAction(file: string, argumentText: string): string {
  if (/Statement: `INSERT INTO "\$\{\w+TableName\}" VALUE /.test(argumentText)) return 'PartiQLInsert';
  throw new Error(`${file}: what the statement does is not seen.`);
}

/** From an opening parenthesis to the one that closes it. */
function argumentsAt(text: string, start: number): string {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return text.slice(start, at + 1);
  }
  throw new Error('A parenthesis is not closed.');
}

/** What a call is on, by the name of the setting that holds the table's name. */
function resourceOf({ action, argumentText, file }: Call): string {
  if (action.startsWith('chime:')) return 'meetings';
  if (action.startsWith('s3:')) return action === 's3:ListBucket' ? 'seal bucket' : 'seals';
  const [setting = ''] = argumentText.match(/\b\w+TableName\b/) ?? [];
  const table = {
    auditTableName: 'audit table',
    admissionTableName: 'admission table',
    openIntentTableName: 'open intent table',
    eventTableName: 'event table',
  }[setting];
  if (table === undefined) throw new Error(`${file}: which table ${argumentText} is on is not seen.`);
  const [, of = '', index] = argumentText.match(/\bTABLES\.(\w+)\.indexes\.(\w+)/) ?? [];
  if (index === undefined) return table;
  const { indexes } = TABLES[of as keyof typeof TABLES];
  return `${table}, index ${(indexes as Record<string, { name: string }>)[index]?.name}`;
}

/** Its commands go as far as the connection and are never sent (test/system/early-connections.full.ts). */
const REHEARSALS = 'lambda/aws/early-connections.ts';

describe('the code', () => {
  it.each<[string, string, string[]]>([
    [
      'attendees',
      'lambda/create-attendees/handler.ts',
      [
        '@aws-lambda-powertools/logger',
        '@aws-lambda-powertools/metrics',
        '@aws-sdk/client-chime-sdk-meetings',
        '@aws-sdk/client-dynamodb',
        '@aws-sdk/util-dynamodb',
        '@middy/core',
        '@middy/http-cors',
        'jose',
        'node:crypto',
        // Reads the issuers that its environment has no room for.
        'node:fs',
        // By these two it asks issuers for their keys, and by the last reads one that is packed.
        'node:http',
        'node:https',
        // Tells an address from a name: a TLS handshake names only the latter.
        'node:net',
        'node:timers/promises',
        'node:zlib',
      ],
    ],
    [
      'reconciler',
      'lambda/reconciler/handler.ts',
      [
        '@aws-lambda-powertools/logger',
        '@aws-lambda-powertools/metrics',
        '@aws-sdk/client-chime-sdk-meetings',
        '@aws-sdk/client-dynamodb',
        '@aws-sdk/util-dynamodb',
        'node:crypto',
        'node:timers/promises',
        'zod/mini',
      ],
    ],
    [
      'observer',
      'lambda/observer/handler.ts',
      [
        '@aws-lambda-powertools/logger',
        '@aws-lambda-powertools/metrics',
        '@aws-sdk/client-chime-sdk-meetings',
        '@aws-sdk/client-dynamodb',
        '@aws-sdk/util-dynamodb',
        'zod/mini',
      ],
    ],
    [
      'sealer',
      'lambda/sealer/handler.ts',
      [
        '@aws-lambda-powertools/logger',
        '@aws-lambda-powertools/metrics',
        // Beside the client of DynamoDB; the bundle leaves it out.
        '@aws-sdk/client-chime-sdk-meetings',
        '@aws-sdk/client-dynamodb',
        '@aws-sdk/client-s3',
        'canonicalize',
        'node:buffer',
        'node:crypto',
        'node:timers/promises',
        'zod/mini',
      ],
    ],
  ])(
    'of the function %s makes exactly the calls of docs/permissions.md, and contains nothing else that could call',
    async (role, entryPoint, expected) => {
      const { files, modules } = await broughtInBy(entryPoint);
      expect(files).toContain(entryPoint);
      expect(modules).toEqual(expected);
      const calls = files
        .filter((file) => file !== REHEARSALS)
        .flatMap((file) => callsIn(file))
        .map((call) => [call.action, resourceOf(call), call.call, call.file].join(', '));
      const listed = called.filter(([of]) => of === role).map(([, ...rest]) => rest.join(', '));
      expect(distinct(calls)).toEqual(listed.toSorted());
    },
  );

  it('reads the audit with exactly the permissions of grantReadAudit', async () => {
    const calls = (await broughtInBy('cli/audit.ts')).files.flatMap((file) => callsIn(file));
    const listed = rowsUnder('Who reads the audit').map((row) => row.join(', '));
    const reads = calls.filter(({ action }) => action !== 'dynamodb:BatchWriteItem');
    expect(distinct(reads.map(({ action, call, file }) => [action, call, file].join(', ')))).toEqual(
      listed.toSorted(),
    );

    const stack = createForeignStack();
    const auditor = new Role(stack, 'Auditor', {
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
    });
    addFacade(stack).grantReadAudit(auditor);
    const { Properties } = theResource(Template.fromStack(stack), 'AWS::IAM::Policy', 'Auditor');
    const [statement] = (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement;
    const ofTables = reads
      .map(({ action }) => action)
      .filter((action) => action.startsWith('dynamodb:') && action !== 'dynamodb:Scan');
    expect([statement?.Action ?? []].flat().toSorted()).toEqual(distinct(ofTables));
  });

  it('writes to the admissions on request only, which needs more permissions than reading', async () => {
    const writes = (await broughtInBy('cli/audit.ts')).files
      .flatMap((file) => callsIn(file))
      .filter(
        ({ action }) =>
          !/:(Query|Scan|(Batch)?GetItem|GetObject(Version|Retention)|ListBucketVersions|DescribeStacks|ListStackResources)$/.test(
            action,
          ),
      );
    expect(distinct(writes.map(({ action, file }) => `${action}, ${file}`))).toEqual([
      'dynamodb:BatchWriteItem, cli/audit/dynamodb.ts',
    ]);
  });
});

describe('what is read from the code', () => {
  const sdk = "'@aws-sdk/client-dynamodb'";
  const named = (names: string) => `import { ${names} } from ${sdk};\n`;

  it('is every call of the form that is used here', () => {
    const text = `${named('type ScanCommandInput, PutItemCommand, paginateQuery, DynamoDBClient')}
      // A new PutItemCommand({}) in a comment is none.
      client.send(new PutItemCommand({ TableName: auditTableName }));
      for await (const page of paginateQuery({ client }, query)) pages.push(page);`;
    expect(callsIn('a.ts', text).map(({ action, argumentText }) => `${action} ${argumentText}`)).toEqual([
      'dynamodb:PutItem ({ TableName: auditTableName })',
      'dynamodb:Query ({ client }, query)',
    ]);
  });

  it.each([
    ['all of the SDK', `import * as sdk from ${sdk};\nnew sdk.ScanCommand({});`],
    ['what is given on', `export { ScanCommand } from ${sdk};`],
    ['what is loaded later', `const { ScanCommand } = await import(${sdk});`],
    ['what is required', `const { ScanCommand } = require(${sdk});`],
    ['a client with a method for every call', `${named('DynamoDB')}new DynamoDB({}).scan({});`],
    ['what calls by itself', `${named('waitUntilTableExists')}waitUntilTableExists({ client }, {});`],
    ['another name', `${named('ScanCommand as Look')}new Look({});`],
    ['a value', `${named('ScanCommand')}const commands = [ScanCommand];\nnew ScanCommand({});`],
    [
      'a statement that is no INSERT',
      `${named('ExecuteStatementCommand')}new ExecuteStatementCommand({ Statement: \`DELETE FROM "\${auditTableName}"\` });`,
    ],
    [
      'another service',
      "import { SendMessageCommand } from '@aws-sdk/client-sqs';\nnew SendMessageCommand({});",
    ],
    ['a request of its own', "await fetch('https://dynamodb.us-east-1.amazonaws.com/');"],
  ])('is rejected if it is not understood: %s', (_what, text) => {
    expect(() => callsIn('a.ts', text)).toThrow(
      /^a\.ts: .* (is not|are not) (known here|seen|understood)\.$/,
    );
  });
});
