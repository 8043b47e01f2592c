import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

// IAM cannot force a condition on a put, so the code has to be watched: whatever is sent to DynamoDB is either no write,
// or a write to a table that is named as one of the derived ones, or a put on condition of absence.
const READS = ['GetItem', 'BatchGetItem', 'Query'];
const DERIVED = ['admissionTableName', 'openIntentTableName'];

/** What a source sends to DynamoDB in a way that the audit does not allow, in words. */
function offences(source: string): string[] {
  const found: string[] = [];
  for (const { operation, argument } of commandsIn(source)) {
    if (READS.includes(operation) || DERIVED.some((name) => argument.includes(name))) {
      if (argument.includes('auditTableName') && !READS.includes(operation))
        found.push(`${operation} of two tables`);
      continue;
    }
    const onAbsence =
      operation === 'PutItem' && argument.includes("ConditionExpression: 'attribute_not_exists(recordId)'");
    if (!onAbsence) found.push(`${operation} without the condition`);
  }
  // The other ways to the same operations: document clients, aggregated clients, PartiQL.
  if (/lib-dynamodb|\bDynamoDB\b\s*[,}(]/.test(source)) found.push('another client than DynamoDBClient');
  return found;
}

/** Every command that a source makes, with the text of its argument. */
function commandsIn(source: string): { operation: string; argument: string }[] {
  const dynamodb = /import \{([^}]*)\} from '@aws-sdk\/client-dynamodb'/.exec(source)?.[1] ?? '';
  const imported = [...dynamodb.matchAll(/(\w+)Command\b/g)].map(([, operation]) => operation as string);
  return [...source.matchAll(/new (\w+)Command\(/g)]
    .filter(([, operation]) => imported.includes(operation as string))
    .map((match) => ({
      operation: match[1] as string,
      argument: balanced(source, match.index + match[0].length),
    }));
}

/** The text from here to the parenthesis that closes. */
function balanced(source: string, start: number): string {
  let depth = 1;
  let end = start;
  for (; depth > 0 && end < source.length; end += 1) {
    if (source[end] === '(') depth += 1;
    if (source[end] === ')') depth -= 1;
  }
  return source.slice(start, end);
}

function sourcesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(directory, name));
}

describe('the facts are only ever added to', () => {
  it('by the functions', () => {
    const found = sourcesIn('lambda').flatMap((file) =>
      offences(readFileSync(file, 'utf8')).map((offence) => `${file}: ${offence}`),
    );
    expect(found).toEqual([]);
  });

  it('and there is such a put to be watched', () => {
    const puts = sourcesIn('lambda')
      .flatMap((file) => commandsIn(readFileSync(file, 'utf8')))
      .filter(({ argument }) => argument.includes('attribute_not_exists(recordId)'));
    expect(puts).toHaveLength(1);
  });

  const sent = (operation: string, argument: string) =>
    `import { ${operation}Command } from '@aws-sdk/client-dynamodb'; client.send(new ${operation}Command(${argument}));`;
  it.each([
    ['a put without condition', sent('PutItem', '{ TableName: tables.auditTableName, Item: f(record) }')],
    [
      'a put on another condition',
      sent('PutItem', "{ TableName: auditTableName, ConditionExpression: 'attribute_exists(recordId)' }"),
    ],
    ['an update', sent('UpdateItem', '{ TableName: tables.auditTableName }')],
    ['a table by any other name', sent('DeleteItem', '{ TableName: table }')],
    ['a batch', sent('BatchWriteItem', '{ RequestItems: { [auditTableName]: [] } }')],
    [
      'a batch that goes to both',
      sent('BatchWriteItem', '{ RequestItems: { [auditTableName]: [], [admissionTableName]: [] } }'),
    ],
    ['a transaction', sent('TransactWriteItems', '{ TransactItems: [] }')],
    ['PartiQL', sent('ExecuteStatement', "{ Statement: 'DELETE FROM x' }")],
    ['a client with a method for everything', "import { DynamoDB } from '@aws-sdk/client-dynamodb';"],
  ])('which %s would break', (_what, source) => {
    expect(offences(source)).not.toEqual([]);
  });
});
