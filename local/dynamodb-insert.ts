import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

const TARGET = 'x-amz-target';
const API = 'DynamoDB_20120810';
const EXECUTE_STATEMENT = `${API}.ExecuteStatement`;

/** The one statement that Usher sends: every value a parameter. */
const INSERT = /^INSERT INTO "([\w.-]+)" VALUE \{('\w+': \?(?:, '\w+': \?)*)\}$/;

interface Failure {
  __type: string;
  message: string;
}

/**
 * Adds to dynalite, which lacks PartiQL, the one statement that inserts a record: it becomes a put on condition that
 * the key is free. Every other statement is refused.
 *
 * @param dynalite answers everything else
 * @param url where `dynalite` listens; called with the first request
 */
export function withInsert(dynalite: RequestListener, url: () => string): RequestListener {
  const partitionKeys = new Map<string, string>();
  return (request, response) => {
    if (request.headers[TARGET] !== EXECUTE_STATEMENT) {
      dynalite(request, response);
      return;
    }
    execute(request)
      .then(({ status, body }) => answer(response, status, body))
      .catch(() => response.destroy());
  };

  async function execute(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const { Statement, Parameters = [], ...rest } = JSON.parse((await buffer(request)).toString('utf8'));
    const [, table = '', fields = ''] = INSERT.exec(String(Statement)) ?? [];
    if (table === '')
      return refusal('The local database supports only INSERT INTO "table" VALUE {\'name\': ?}.');
    const names = [...fields.matchAll(/'(\w+)'/g)].map(([, name]) => name as string);
    if (names.length !== Parameters.length) {
      return refusal("Number of parameters in request and statement don't match.");
    }
    const key = await partitionKeyOf(table, request.headers);
    const put = await call('PutItem', request.headers, {
      TableName: table,
      Item: Object.fromEntries(names.map((name, index) => [name, Parameters[index]])),
      ...(key !== undefined && {
        ConditionExpression: 'attribute_not_exists(#key)',
        ExpressionAttributeNames: { '#key': key },
      }),
      ...(rest.ReturnConsumedCapacity && { ReturnConsumedCapacity: rest.ReturnConsumedCapacity }),
    });
    if (put.status === 200) return { status: 200, body: { Items: [], ...put.body } };
    const { __type } = put.body as Failure;
    return __type.endsWith('#ConditionalCheckFailedException')
      ? failure(
          'com.amazonaws.dynamodb.v20120810#DuplicateItemException',
          'Duplicate primary key exists in table',
        )
      : put;
  }

  /** @returns undefined if the table does not exist; the put will then say so */
  async function partitionKeyOf(table: string, headers: IncomingHttpHeaders): Promise<string | undefined> {
    const known = partitionKeys.get(table);
    if (known !== undefined) return known;
    const { body } = await call('DescribeTable', headers, { TableName: table });
    const { Table } = body as { Table?: { KeySchema: { AttributeName: string; KeyType: string }[] } };
    const key = Table?.KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
    if (key !== undefined) partitionKeys.set(table, key);
    return key;
  }

  async function call(operation: string, headers: IncomingHttpHeaders, input: object) {
    const response = await fetch(url(), {
      method: 'POST',
      headers: {
        [TARGET]: `${API}.${operation}`,
        'content-type': 'application/x-amz-json-1.0',
        // dynalite checks only their form.
        authorization: headers.authorization ?? '',
        'x-amz-date': String(headers['x-amz-date'] ?? ''),
      },
      body: JSON.stringify(input),
    });
    return { status: response.status, body: (await response.json()) as object };
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
}

function refusal(message: string) {
  return failure('com.amazon.coral.validate#ValidationException', message);
}

function failure(__type: string, message: string): { status: number; body: Failure } {
  return { status: 400, body: { __type, message } };
}
