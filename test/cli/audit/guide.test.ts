import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parseCommand } from '../../../cli/audit/options.ts';
import { digestOfItem } from '../../../lambda/audit/seals.ts';
import {
  batchIdAt,
  CALLER,
  createTestTables,
  issuedTo,
  MEETING,
  putItem,
  type TestTables,
  writeBatch,
  writeDenial,
} from '../../support/audit-command.ts';
import { startDatabase } from '../../support/database.ts';

jest.setTimeout(30_000);

/** Every command of the guide, by the heading that it stands under, as the words that a shell would make of it. */
const commands = readCommands(readFileSync('docs/audit-guide.md', 'utf8'));

function readCommands(markdown: string): { heading: string; words: string[] }[] {
  return markdown.split(/^#+ /m).flatMap((section) => {
    const heading = section.slice(0, section.indexOf('\n'));
    return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, command = '']) => ({
      heading,
      words: [...command.matchAll(/'([^']*)'|([^\s\\']+)/g)].map(
        ([, quoted, plain]) => quoted ?? plain ?? '',
      ),
    }));
  });
}

function awsCommands(operation: string): { heading: string; words: string[] }[] {
  return commands.filter(
    ({ words }) => words[0] === 'aws' && words[1] === 'dynamodb' && words[2] === operation,
  );
}

/** `--table-name T --consistent-read` as `{ TableName: 'T', ConsistentRead: true }`; options that are JSON are read. */
function inputOf(words: string[]): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  const end = words.indexOf('|');
  const options = words.slice(3, end < 0 ? undefined : end);
  for (let index = 0; index < options.length; index += 1) {
    const name = (options[index] as string)
      .replace(/^--/, '')
      .replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const value = options[index + 1];
    if (value === undefined || value.startsWith('--')) {
      input[name] = true;
    } else {
      input[name] = value.startsWith('{') ? JSON.parse(value) : value;
      index += 1;
    }
  }
  return input;
}

let database: Awaited<ReturnType<typeof startDatabase>>;
let tables: TestTables;
let batches: Record<'early' | 'wanted' | 'late' | 'denied' | 'elsewhere', string>;

beforeAll(async () => {
  database = await startDatabase();
  tables = await createTestTables(database.url, 'guide');
  const elsewhere = {
    intent: { meetingId: 'elsewhere', caller: { ...CALLER, subject: 'another' } },
    outcome: { issued: [issuedTo('zoe', 'attendee-zoe')] },
  };
  batches = {
    early: await writeBatch(tables, batchIdAt('2026-11-22T12:00:00Z')),
    wanted: await writeBatch(tables, batchIdAt('2026-11-23T13:45:58.123Z')),
    denied: await writeDenial(tables, batchIdAt('2026-11-23T13:50:00Z')),
    late: await writeBatch(tables, batchIdAt('2026-11-23T14:10:00Z')),
    elsewhere: await writeBatch(tables, batchIdAt('2026-11-24T12:00:00Z'), elsewhere),
  };
  await putItem(tables, tables.openIntentTableName, {
    list: 'open',
    batchId: batches.wanted,
    meetingId: MEETING,
  });
  await putItem(tables, tables.openIntentTableName, {
    list: 'sweep',
    batchId: 'through',
    through: '2026-11-23T13:58:00Z',
  });
});

afterAll(() => database.close());

/** What the words in capitals stand for, here. */
function filledIn(words: string[]): string[] {
  const values: [string, string][] = [
    ['OPEN_INTENT_TABLE', tables.openIntentTableName],
    ['ADMISSION_TABLE', tables.admissionTableName],
    ['AUDIT_TABLE', tables.auditTableName],
    ['DENIED_BATCH_ID', batches.denied],
    ['BATCH_ID', batches.wanted],
    ['MEETING_ID', MEETING],
    ['ATTENDEE_ID', 'attendee-alice'],
    ['CALLER_ID', 'https://login.example.com|backend|svc-1'],
    ['USER', 'alice'],
    ['DAY', '2026-11-23'],
    ['SEAL_BUCKET', 'seals'],
    ['SEAL_PREFIX', 'usher/'],
  ];
  // By whole words: OPEN_INTENT_TABLE is none of the others.
  return words.map((word) =>
    values.reduce((text, [name, value]) => text.replace(new RegExp(`\\b${name}\\b`, 'g'), value), word),
  );
}

describe('the audit guide', () => {
  /** The batches that each Query answers with, call by call. */
  const expected = (): Record<string, string[][]> => {
    const { early, wanted, late, denied } = batches;
    return {
      'Who was admitted to a meeting?': [
        [early, early, wanted, wanted, denied, late, late],
        [wanted, wanted, denied],
      ],
      'Which meetings was a user admitted to?': [[early, wanted, late]],
      'Who is an attendee?': [[early, wanted, late]],
      'What did a caller issue, and what was it denied?': [[wanted, denied, late]],
      'What did a batch do?': [[wanted], [wanted, wanted], [denied]],
      'What happened on a day?': [[wanted, late]],
      'What was denied, and why?': [[denied]],
      'What is still open?': [[wanted], [late]],
    };
  };

  it('has AWS CLI queries that answer every question', async () => {
    const answers: Record<string, string[][]> = {};
    for (const { heading, words } of awsCommands('query')) {
      const input = inputOf(filledIn(words));
      const { Items = [] } = await tables.client.send(new QueryCommand(input as never));
      answers[heading] ??= [];
      answers[heading].push(Items.map((item) => unmarshall(item)['batchId']));
    }
    expect(answers).toEqual(expected());
  });

  it('has AWS CLI calls for single items that find them', async () => {
    const found = await Promise.all(
      awsCommands('get-item').map(async ({ words }) => {
        const { Item } = await tables.client.send(new GetItemCommand(inputOf(filledIn(words)) as never));
        return Item && unmarshall(Item);
      }),
    );
    expect(found).toEqual([
      { list: 'sweep', batchId: 'through', through: '2026-11-23T13:58:00Z' },
      expect.objectContaining({ kind: 'outcome', batchId: batches.wanted }),
      expect.objectContaining({ kind: 'outcome', batchId: batches.wanted }),
    ]);
  });

  it('has a pipe that prints the digest of a seal', async () => {
    const pipe = /--key .* (\| npx .*)$/m.exec(readFileSync('docs/audit-guide.md', 'utf8'))?.[1] ?? '';
    const { Item = {} } = await tables.client.send(
      new GetItemCommand({
        TableName: tables.auditTableName,
        Key: { meetingId: { S: MEETING }, recordId: { S: `${batches.wanted}/outcome` } },
      }),
    );
    const item = { ...Item, name: { S: 'ä\u2028"\\\n\u0001\u007f' }, n: { N: '12345678901234567890' } };
    // As the AWS CLI prints it: indented, in another order.
    const printed = JSON.stringify(Object.fromEntries(Object.entries(item).reverse()), null, 4);
    const { stdout } = spawnSync('sh', ['-c', `cat ${pipe}`], { input: printed, encoding: 'utf8' });
    expect(stdout.split(' ')[0]).toBe(digestOfItem(item));
  });

  it('has a command for every question, and only commands that are accepted', () => {
    const asked = commands
      .filter(({ words }) => words[0] === 'npm')
      .map(({ words }) => {
        const args = filledIn(words).slice(words.indexOf('--') + 1);
        const end = args.indexOf('|');
        return parseCommand(end < 0 ? args : args.slice(0, end), Date.now()).question.about;
      });
    expect([...new Set(asked)].sort()).toEqual(
      [
        'attendee',
        'batch',
        'caller',
        'cloudtrail',
        'compare',
        'day',
        'denied',
        'meeting',
        'open',
        'rebuild',
        'time',
        'user',
        'verify',
      ].sort(),
    );
  });

  it('has no AWS CLI call to these tables that is not one of these, but for a repair and the export', () => {
    const others = commands
      .filter(({ words }) => words[0] === 'aws' && words[1] === 'dynamodb')
      .map(({ words }) => words[2])
      .filter((operation) => operation !== 'query' && operation !== 'get-item');
    expect(others).toEqual(['delete-item', 'export-table-to-point-in-time']);
  });
});
