import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { tokenParts } from '../cli/token.ts';
import { parseConfig } from '../lib/settings/complete.ts';
import { UsherStack } from '../lib/usher-stack.ts';
import type { ApiDescription } from '../local/api-template.ts';
import { startGateway } from '../local/gateway/server.ts';
import { startIssuer } from '../local/issuer/issuer.ts';
import { DUMMY_CREDENTIALS, functionEnvironment } from '../local/lambda/environment.ts';
import type { FunctionDescription } from '../local/lambda/function-description.ts';
import { readTemplate } from '../local/template.ts';
import { type RemoteStandIn, startStandInProcess } from './processes.ts';
import { MEETING_ID } from './stand-in.ts';

/** What every benchmark runs in: the synthesized stack's function, an issuer, and what answers for Chime and DynamoDB. */
export interface Setting {
  standIn: RemoteStandIn;
  api: ApiDescription;
  description: FunctionDescription;
  /** The bundles to measure: this checkout's function and, where one is given, another one's. */
  functions: { name: string; directory: string }[];
  /** The complete environment of the function's processes. */
  env: Record<string, string>;
  token: string;
  /** An event as the gateway makes it, for so many attendees. */
  eventFor(attendees: number): Promise<unknown>;
  /** Removed in the end. */
  directory: string;
  close(): Promise<void>;
}

const REGION = 'us-east-1';

/**
 * `npm run build` has to come first.
 *
 * @param against another checkout of this repository, built
 */
export async function createSetting(against?: string): Promise<Setting> {
  const directory = mkdtempSync(path.join(tmpdir(), 'usher-bench-'));
  const [issuer, standIn] = await Promise.all([startIssuer(), startStandInProcess()]);
  await standIn.setKeys((await (await fetch(issuer.jwksUri)).json()) as object);
  const certificateFile = path.join(directory, 'certificate.pem');
  writeFileSync(certificateFile, standIn.certificate);
  const written = JSON.parse(readFileSync(new URL('../config/local.json', import.meta.url), 'utf8'));
  const config = parseConfig(
    {
      ...written,
      issuers: [{ ...written.issuers[0], issuer: issuer.issuer, jwksUri: standIn.urls.issuer }],
      limits: { requestsPerSecond: 5_000, burst: 5_000 },
    },
    'config/local.json',
  );
  const { api, description } = synthesize(config, path.join(directory, 'assembly'));
  const services = {
    region: REGION,
    dynamodbUrl: standIn.urls.dynamodb,
    chimeUrl: standIn.urls.chime,
    credentials: DUMMY_CREDENTIALS,
  };
  const token = await sign(issuer.signUrl, issuer.issuer, config.issuers[0]?.audience[0] ?? '');
  return {
    standIn,
    api,
    description,
    functions: [
      { name: 'function', directory: HANDLER_DIRECTORY },
      ...(against === undefined
        ? []
        : [
            {
              name: `function of ${path.basename(against)}`,
              directory: path.resolve(against, HANDLER_BUNDLE),
            },
          ]),
    ],
    env: { ...functionEnvironment(description, services), NODE_EXTRA_CA_CERTS: certificateFile },
    token,
    eventFor: (attendees) => captureEvent(api, description.arn, request(token, attendees)),
    directory,
    async close() {
      await Promise.all([issuer.close(), standIn.close()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The path and the body of a batch, as a client sends it. */
export function request(token: string, attendees: number) {
  return {
    path: `/meetings/${MEETING_ID}/attendees?operation=batch-create`,
    init: {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ Attendees: namesOf(attendees).map((ExternalUserId) => ({ ExternalUserId })) }),
    },
  };
}

/** As long as the ids of many user directories: a UUID. */
export function namesOf(attendees: number): string[] {
  return Array.from(
    { length: attendees },
    (_, index) => `b1e5a6d2-0000-4000-8000-${String(index).padStart(12, '0')}`,
  );
}

function synthesize(config: ReturnType<typeof parseConfig>, outdir: string) {
  const app = new App({ outdir, builtinCloudFormationValidation: false });
  const { artifactId } = new UsherStack(app, config.stackName, { config });
  const assembly = app.synth();
  const { template, stackName } = assembly.getStackArtifact(artifactId);
  const { api, functions } = readTemplate(template, {
    stackName,
    region: REGION,
    accountId: '123456789012',
    assetDirectory: () => HANDLER_DIRECTORY,
  });
  const description = functions.find(({ environment }) => 'ISSUERS' in environment);
  if (description === undefined) throw new Error('The stack misses the function.');
  return { api, description };
}

const HANDLER_BUNDLE = 'dist/lambda/create-attendees';
/** What is deployed. */
export const HANDLER_DIRECTORY = new URL(`../${HANDLER_BUNDLE}`, import.meta.url).pathname;

async function sign(signUrl: string, issuer: string, audience: string): Promise<string> {
  const parts = tokenParts(
    {
      sub: 'backend',
      scope: 'attendees.create',
      clientId: 'bench',
      typ: 'at+jwt',
      expiresIn: '3600',
      claim: [],
    },
    { issuer, audience },
    Math.floor(Date.now() / 1000),
  );
  const response = await fetch(signUrl, { method: 'POST', body: JSON.stringify(parts) });
  return response.text();
}

/** The local gateway's own event of a request: it is sent to it for real, and never answered by a function. */
async function captureEvent(
  api: ApiDescription,
  functionArn: string,
  { path, init }: ReturnType<typeof request>,
): Promise<unknown> {
  let event: unknown;
  const functions = new Map([
    [
      functionArn,
      {
        invoke: async (given: unknown) => {
          event = given;
          return { statusCode: 200, body: '' };
        },
      },
    ],
  ]);
  const gateway = await startGateway(api, { port: 0, functions });
  await fetch(gateway.url + path, init);
  await gateway.close();
  return event;
}
