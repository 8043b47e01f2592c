import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { build } from 'esbuild';
import {
  addFacade,
  flat,
  foreignStack,
  fullProduction,
  resourcesOf,
  synthesize,
  theResource,
} from './synthesize.ts';

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

/** By what its logical id begins with. */
const ROLES: [string, string][] = [
  ['Attendees', 'attendees'],
  ['Reconciler', 'reconciler'],
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
    '<AdmissionTable.Arn>': 'admission table',
    '<OpenIntentTable.Arn>': 'open intent table',
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

/** Every permission of the template, as `role, action, on`. */
function permissions(): string[] {
  const ofPolicies = resourcesOf(template, 'AWS::IAM::Policy').flatMap(({ Properties }) => {
    const { Statement: statements } = Properties['PolicyDocument'] as { Statement: Statement[] };
    return (Properties['Roles'] as unknown[]).flatMap((role) => {
      const name = roleName(flat(role));
      return statements.flatMap(({ Effect, Action, Resource }) => {
        expect(Effect).toBe('Allow');
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
    expect(
      types.filter((type) => others.includes(type) || /(Resource|Bucket|Topic|Queue)Policy$/.test(type)),
    ).toEqual([]);
    const inTables = resourcesOf(template, 'AWS::DynamoDB::Table').filter(
      ({ Properties }) => 'ResourcePolicy' in Properties,
    );
    expect(inTables).toEqual([]);
  });

  it('lets those take a role or invoke a function that the document says', () => {
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
  '@aws-sdk/client-dynamodb': 'dynamodb',
  '@aws-sdk/client-chime-sdk-meetings': 'chime',
};

/** The source files that an entry point brings in, itself included, without anything from npm. */
async function filesFrom(entryPoint: string): Promise<string[]> {
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
  return Object.keys(metafile.inputs).filter((file) => file.endsWith('.ts'));
}

interface Call {
  action: string;
  /** The arguments as they are written. */
  argumentText: string;
  call: string;
  file: string;
}

/** Every call of an AWS service in a file: `new GetItemCommand(…)`, or `paginateQuery(…)` for page after page. */
function callsIn(file: string): Call[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^import (?!type)([^;]*?) from '(@aws-sdk\/[^']+)';/gms)].flatMap(
    ([, names = '', from = '']) => {
      if (from === '@aws-sdk/util-dynamodb') return [];
      const service = SERVICES[from];
      if (service === undefined) throw new Error(`${file}: the permissions for ${from} are not known here.`);
      const imported = [...names.matchAll(/(type )?\b(\w+Command|paginate\w+)\b/g)].filter(
        ([, type]) => !type,
      );
      return imported.flatMap(([, , name = '']) => {
        const operation = name.replace(/Command$|^paginate/, '');
        const sites = [...text.matchAll(new RegExp(`\\b${name}\\(`, 'g'))];
        if (sites.length === 0) throw new Error(`${file}: where ${name} is called is not seen.`);
        return sites.map(({ index }) => ({
          action: `${service}:${operation}`,
          argumentText: argumentsAt(text, index + name.length),
          call: name,
          file,
        }));
      });
    },
  );
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
  const [setting = ''] = argumentText.match(/\b\w+TableName\b/) ?? [];
  const table = {
    auditTableName: 'audit table',
    admissionTableName: 'admission table',
    openIntentTableName: 'open intent table',
  }[setting];
  if (table === undefined) throw new Error(`${file}: which table ${argumentText} is on is not seen.`);
  const [, index] = argumentText.match(/IndexName: '([^']+)'/) ?? [];
  return index === undefined ? table : `${table}, index ${index}`;
}

describe('the code', () => {
  it.each([
    ['attendees', 'lambda/handler.ts'],
    ['reconciler', 'lambda/reconciler/handler.ts'],
  ])(
    'of the function %s makes the calls of docs/permissions.md, and those only',
    async (role, entryPoint) => {
      const files = await filesFrom(entryPoint);
      expect(files).toContain(entryPoint);
      const calls = files
        .flatMap(callsIn)
        .map((call) => [call.action, resourceOf(call), call.call, call.file].join(', '));
      const listed = called.filter(([of]) => of === role).map(([, ...rest]) => rest.join(', '));
      expect(distinct(calls)).toEqual(listed.toSorted());
    },
  );

  it('asks the audit by nothing that grantReadAudit does not give, and needs all of it', async () => {
    const calls = (await filesFrom('cli/audit.ts')).flatMap(callsIn);
    const listed = rowsUnder('Who reads the audit').map((row) => row.join(', '));
    const reads = calls.filter(({ action }) => action !== 'dynamodb:BatchWriteItem');
    expect(distinct(reads.map(({ action, call, file }) => [action, call, file].join(', ')))).toEqual(
      listed.toSorted(),
    );

    const stack = foreignStack();
    const auditor = new Role(stack, 'Auditor', {
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
    });
    addFacade(stack).grantReadAudit(auditor);
    const { Properties } = theResource(Template.fromStack(stack), 'AWS::IAM::Policy', 'Auditor');
    const [statement] = (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement;
    expect([statement?.Action ?? []].flat().toSorted()).toEqual(distinct(reads.map(({ action }) => action)));
  });

  it('writes to the admissions by hand only, which needs more than reading', async () => {
    const writes = (await filesFrom('cli/audit.ts'))
      .flatMap(callsIn)
      .filter(({ action }) => !/:(Query|(Batch)?GetItem)$/.test(action));
    expect(distinct(writes.map(({ action, file }) => `${action}, ${file}`))).toEqual([
      'dynamodb:BatchWriteItem, cli/audit/dynamodb.ts',
    ]);
  });
});
