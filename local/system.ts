import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ChimeSDKMeetings } from '@aws-sdk/client-chime-sdk-meetings';
import { App } from 'aws-cdk-lib';
import { AssetManifestArtifact } from 'aws-cdk-lib/cx-api';
import { parseConfig } from '../lib/settings/complete.ts';
import type { CompleteConfig } from '../lib/settings/props.ts';
import { UsherStack } from '../lib/usher-stack.ts';
import { startChimeEmulator } from './chime-emulator/server.ts';
import { createTables, startDynamoDb } from './dynamodb.ts';
import type { LocalEnvironment } from './environment.ts';
import { startGateway } from './gateway/server.ts';
import { type IssuerAddresses, startIssuer } from './issuer/issuer.ts';
import {
  callersCredentials,
  DUMMY_CREDENTIALS,
  functionEnvironment,
  type Services,
} from './lambda/environment.ts';
import type { FunctionDescription } from './lambda/function-description.ts';
import { createFunctionPool } from './lambda/pool.ts';
import { startSchedules } from './schedule.ts';
import { type LocalStack, readTemplate } from './template.ts';

/** AWS's own example account: nothing here belongs to one. */
const ACCOUNT_ID = '123456789012';

const DEFAULT_REGION = 'us-east-1';

/** The tenant of the ready-made meeting. */
const TENANT = 'acme';

export interface LocalSystemOptions {
  configFile: string;
  /** Of the API; 0 for a free one. */
  port: number;
  /** Where the stack is synthesized to; removed in the end. */
  assemblyDirectory: string;
  /** How many handler processes may run at once. */
  concurrency: number;
  /** Whether the stack's scheduled functions run by themselves. */
  schedule: boolean;
  /** `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS` replace the local part; credentials are for them. */
  env: NodeJS.ProcessEnv;
}

/**
 * Runs the synthesized stack on this machine.
 *
 * @returns when the first request can be answered; `close` ends everything
 * @throws with nothing left running
 */
export async function startLocalSystem(
  options: LocalSystemOptions,
): Promise<{ environment: LocalEnvironment; close(): Promise<void> }> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    const errors: unknown[] = [];
    // The last started is the first to go: nothing loses what it depends on while it still works.
    for (const closer of closers.splice(0).reverse()) await closer().catch((error) => errors.push(error));
    if (errors.length > 0) throw new AggregateError(errors, `Not everything could be ended: ${errors[0]}`);
  };
  const started = <T extends { close(): Promise<void> }>(part: T): T => {
    closers.push(() => part.close());
    return part;
  };
  try {
    return { environment: await start(options, started), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Started = <T extends { close(): Promise<void> }>(part: T) => T;

async function start(
  { configFile, port, assemblyDirectory, concurrency, schedule, env }: LocalSystemOptions,
  started: Started,
): Promise<LocalEnvironment> {
  const written = readJson(configFile);
  const issuer = namesLocalIssuer(written) ? started(await startIssuer()) : undefined;
  const config = parseConfig(withIssuer(written, issuer), configFile);
  const region = config.region ?? DEFAULT_REGION;

  const foreign = {
    chime: env['AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS'],
    dynamodb: env['AWS_ENDPOINT_URL_DYNAMODB'],
  };
  const services: Services = {
    region,
    chimeUrl: foreign.chime ?? started(await startChimeEmulator()).url,
    dynamodbUrl: foreign.dynamodb ?? started(await startDynamoDb()).url,
    credentials: foreign.chime || foreign.dynamodb ? callersCredentials(env) : DUMMY_CREDENTIALS,
  };

  started({ close: async () => rmSync(assemblyDirectory, { recursive: true, force: true }) });
  const stack = synthesize(config, region, assemblyDirectory);
  const { credentials } = services;
  await createTables({ region, endpoint: services.dynamodbUrl, credentials }, stack.tables);
  const meetingId = await createMeeting(services, foreign.chime !== undefined);

  const functions = new Map(
    stack.functions.map((description) => {
      const environment = functionEnvironment(description, services);
      const pool = started(createFunctionPool(description, { environment, maxProcesses: concurrency }));
      return [description.arn, pool];
    }),
  );
  const scheduled = new Set(stack.schedules.map(({ functionArn }) => functionArn));
  // Somebody waits for what answers requests; nobody does for what runs on a schedule.
  const answering = [...functions].filter(([arn]) => !scheduled.has(arn));
  await Promise.all(answering.map(([, pool]) => pool.warm()));
  const gateway = started(await startGateway(stack.api, { port, functions }));
  if (schedule) started(startSchedules(stack.schedules, functions));

  const [rules] = config.issuers;
  return {
    apiUrl: gateway.url,
    chimeUrl: services.chimeUrl,
    dynamodbUrl: services.dynamodbUrl,
    tableName: stack.outputs['AuditTableName'] as string,
    admissionTableName: stack.outputs['AdmissionTableName'] as string,
    openIntentTableName: stack.outputs['OpenIntentTableName'] as string,
    reconciler: stack.functions.find(
      ({ name }) => name === stack.outputs['ReconcilerFunctionName'],
    ) as FunctionDescription,
    issuer: rules?.issuer ?? '',
    audience: rules?.audience[0] ?? '',
    region,
    ...(meetingId && { meetingId }),
    ...(issuer && { signUrl: issuer.signUrl, issuerPid: issuer.pid }),
    pid: process.pid,
  };
}

function readJson(file: string): { issuers?: { issuer?: unknown }[] } {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

/**
 * In a configuration for one machine, the word `local` stands for the issuer that runs beside the rest.
 *
 * @param written not checked yet: it can be anything
 */
function namesLocalIssuer(written: ReturnType<typeof readJson> | null): boolean {
  const issuers = written?.issuers;
  return Array.isArray(issuers) && issuers.some((rules) => rules?.issuer === 'local');
}

function withIssuer(
  written: ReturnType<typeof readJson>,
  local: IssuerAddresses | undefined,
): ReturnType<typeof readJson> {
  if (local === undefined) return written;
  const { issuer, jwksUri } = local;
  const issuers = written.issuers?.map((rules) =>
    rules?.issuer === 'local' ? { ...rules, issuer, jwksUri } : rules,
  );
  return { ...written, ...(issuers && { issuers }) };
}

function synthesize(config: CompleteConfig, region: string, directory: string): LocalStack {
  // The rules that CDK checks by default are about deployments, and here they would double the time of a start.
  const app = new App({ outdir: directory, builtinCloudFormationValidation: false });
  const { artifactId } = new UsherStack(app, config.stackName, { config });
  const assembly = app.synth();
  const files = assembly.artifacts
    .filter((artifact) => AssetManifestArtifact.isAssetManifestArtifact(artifact))
    .flatMap(({ contents }) => Object.values(contents.files ?? {}));
  const assetDirectory = (objectKey: string) => {
    const file = files.find(({ destinations }) =>
      Object.values(destinations).some((destination) => destination.objectKey === objectKey),
    );
    const found = file?.source.path && path.join(directory, file.source.path);
    if (!found || !existsSync(found)) throw new Error(`The synthesized stack has no asset ${objectKey}.`);
    return found;
  };
  const { template, stackName } = assembly.getStackArtifact(artifactId);
  return readTemplate(template, { stackName, region, accountId: ACCOUNT_ID, assetDirectory });
}

/** @returns the meeting's id; `undefined` where somebody else's Chime refuses, which is its right */
async function createMeeting(
  { region, chimeUrl, credentials }: Services,
  isForeign: boolean,
): Promise<string | undefined> {
  const client = new ChimeSDKMeetings({ region, endpoint: chimeUrl, credentials });
  try {
    const { Meeting } = await client.createMeeting({
      ClientRequestToken: `usher-local-${process.pid}`,
      MediaRegion: region,
      ExternalMeetingId: 'usher-local',
      TenantIds: [TENANT],
    });
    return Meeting?.MeetingId;
  } catch (error) {
    if (isForeign) return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}
