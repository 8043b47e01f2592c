import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { deployedApi } from '../support/deployed-api.ts';

/** An OpenAPI document, as far as it is read here. */
interface Contract {
  paths: Record<string, Record<string, unknown>>;
  security: unknown;
  components: { securitySchemes: Record<string, object>; responses: Record<string, ContractResponse> };
}
interface ContractResponse {
  headers?: Record<string, unknown>;
  content: Record<string, { examples?: Record<string, { value: { Code: string; Message: string } }> }>;
}
type Deployed = ReturnType<typeof deployedApi>;

const read = (): Contract => JSON.parse(readFileSync('openapi.json', 'utf8'));
const contract = read();
const deployed = deployedApi();

const OPERATION = /^(get|put|post|delete|options|head|patch|trace)$/;

/** What a contract offers, `POST /path`. */
function offered({ paths }: Contract): string[] {
  return Object.entries(paths)
    .flatMap(([path, item]) =>
      Object.keys(item)
        .filter((member) => OPERATION.test(member))
        .map((member) => `${member.toUpperCase()} ${path}`),
    )
    .sort();
}

/** What an API offers: a method for any other leads to an error only. */
function routed({ methods }: Deployed): string[] {
  return methods
    .filter(({ method }) => method !== 'ANY')
    .map(({ method, resource }) => `${method} ${resource}`)
    .sort();
}

/** An answer of the gateway's own: what a client can tell it by. */
interface Answer {
  status: number;
  code: string;
  /** Left out where it is API Gateway's own, which is not written down. */
  message?: string;
  headers: string[];
}

const UNSAID = '$context.error.messageString';

/** By API Gateway's types, from the responses of the API. */
function shaped({ gatewayResponses }: Deployed): Record<string, Answer> {
  return Object.fromEntries(
    Object.entries(gatewayResponses).map(([type, response]) => {
      const template = response.responseTemplates?.['application/json'] ?? '';
      const { Code, Message } = JSON.parse(template.replace(UNSAID, 'null'));
      const headers = Object.keys(response.responseParameters ?? {});
      return [
        type,
        {
          status: Number(response.statusCode),
          code: Code,
          ...(Message !== null && { message: Message }),
          headers: headers.map((name) => name.replace('gatewayresponse.header.', '')).sort(),
        },
      ];
    }),
  );
}

/** The statuses under which the operations of a contract name a response. */
function statusesOf({ paths }: Contract, name: string): number[] {
  const found = new Set<number>();
  for (const operation of Object.values(paths).flatMap((item) => Object.values(item))) {
    const { responses = {} } = operation as { responses?: Record<string, { $ref?: string }> };
    for (const [status, { $ref }] of Object.entries(responses)) {
      if ($ref === `#/components/responses/${name}`) found.add(Number(status));
    }
  }
  return [...found];
}

/** By API Gateway's types, from the examples that a contract names after them. */
function described(document: Contract, ownMessages: Record<string, Answer>): Record<string, Answer> {
  const answers: Record<string, Answer> = {};
  for (const [name, { headers = {}, content }] of Object.entries(document.components.responses)) {
    for (const [title, { value }] of Object.entries(content['application/json']?.examples ?? {})) {
      const [, type] = /^gateway (\w+)$/.exec(title) ?? [];
      if (type === undefined) continue;
      const [status = 0] = statusesOf(document, name);
      // A response describes the headers of all its answers; which of them this one has is the gateway's to say.
      const sent = ownMessages[type]?.headers ?? [];
      answers[type] = {
        status,
        code: value.Code,
        ...(ownMessages[type]?.message !== undefined && { message: value.Message }),
        headers: sent.filter((header) => header in headers),
      };
    }
  }
  return answers;
}

/** Where contract and API are not the same. */
function differences(document: Contract, api: Deployed): string[] {
  const [inContract, inApi] = [offered(document), routed(api)];
  const answers = shaped(api);
  const examples = described(document, answers);
  const types = new Set([...Object.keys(answers), ...Object.keys(examples)]);
  return [
    ...inContract.filter((operation) => !inApi.includes(operation)),
    ...inApi.filter((operation) => !inContract.includes(operation)),
    ...[...types].filter((type) => JSON.stringify(answers[type]) !== JSON.stringify(examples[type])),
  ];
}

describe('the contract and the API that is deployed', () => {
  it('have the same paths, methods and gateway answers', () => {
    expect(offered(contract)).toContain('POST /meetings/{MeetingId}/attendees');
    expect(Object.keys(shaped(deployed))).toContain('THROTTLED');
    expect(described(contract, shaped(deployed))).toEqual(shaped(deployed));
    expect(differences(contract, deployed)).toEqual([]);
  });

  it('let the function answer for what is not in the contract: every other path, every other method', () => {
    const any = deployed.methods.filter(({ method }) => method === 'ANY').map(({ resource }) => resource);
    expect(any.sort()).toEqual(['/', ...Object.keys(contract.paths), '/{proxy+}'].sort());
  });

  const PATH = '/meetings/{MeetingId}/attendees';
  const throttled = ({ components }: Contract) =>
    components.responses['Throttling']?.content['application/json']?.examples ?? {};
  const extra = (method: string, resource: string) => ({
    ...(deployed.methods[0] as Deployed['methods'][number]),
    method,
    resource,
  });
  it.each<[string, (document: Contract) => void, (api: Deployed) => void, string]>([
    ['a path in the contract only', (d) => Object.assign(d.paths, { '/x': { get: {} } }), () => {}, 'GET /x'],
    ['a path in the API only', () => {}, (a) => a.methods.push(extra('GET', '/x')), 'GET /x'],
    [
      'a method in the contract only',
      (d) => Object.assign(d.paths[PATH] ?? {}, { put: {} }),
      () => {},
      `PUT ${PATH}`,
    ],
    ['a method in the API only', () => {}, (a) => a.methods.push(extra('PUT', PATH)), `PUT ${PATH}`],
    ['an answer in the contract only', () => {}, (a) => delete a.gatewayResponses['THROTTLED'], 'THROTTLED'],
    ['an answer in the API only', (d) => delete throttled(d)['gateway THROTTLED'], () => {}, 'THROTTLED'],
    [
      'another message',
      (d) => Object.assign(throttled(d)['gateway THROTTLED']?.value ?? {}, { Message: 'Wait' }),
      () => {},
      'THROTTLED',
    ],
    [
      'another status',
      () => {},
      (a) => Object.assign(a.gatewayResponses['THROTTLED'] ?? {}, { statusCode: '430' }),
      'THROTTLED',
    ],
    [
      'a header that the contract does not know',
      () => {},
      (a) =>
        Object.assign(a.gatewayResponses['THROTTLED']?.responseParameters ?? {}, {
          'gatewayresponse.header.X-New': "'1'",
        }),
      'THROTTLED',
    ],
  ])('are distinguished by %s', (_what, changeContract, changeApi, difference) => {
    const document = read();
    const api = structuredClone(deployed);
    changeContract(document);
    changeApi(api);
    expect(differences(document, api)).toContain(difference);
  });
});

describe('the contract', () => {
  it('is plain OpenAPI, without extensions of API Gateway', () => {
    expect(JSON.stringify(contract)).not.toContain('x-amazon-');
  });

  it('asks for a bearer token for everything but preflights, which never ask Chime', () => {
    expect(contract.components.securitySchemes).toMatchObject({
      bearerToken: { type: 'http', scheme: 'bearer' },
    });
    expect(contract.security).toEqual([{ bearerToken: [] }]);
    const exempt = Object.values(contract.paths).flatMap((item) =>
      Object.entries(item).flatMap(([method, operation]) =>
        'security' in (operation as object) ? [method] : [],
      ),
    );
    expect(new Set(exempt)).toEqual(new Set(['options']));
  });
});
