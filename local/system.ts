import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { AssetManifestArtifact } from 'aws-cdk-lib/cx-api';
import { parseConfig } from '../lib/settings/complete.ts';
import { readConfigFile } from '../lib/settings/config-file.ts';
import type { CompleteConfig } from '../lib/settings/props.ts';
import { UsherStack } from '../lib/usher-stack.ts';
import { createBuckets } from './buckets.ts';
import { startChimeEmulator } from './chime-emulator/server.ts';
import { createTables, startDynamoDb } from './dynamodb.ts';
import { type LocalEnvironment, stateDirectory } from './environment.ts';
import { createEventBus, type EventBus } from './event-bus.ts';
import { startGateway } from './gateway/server.ts';
import { guarded } from './guard.ts';
import { startIssuer } from './issuer/issuer.ts';
import { namesLocalIssuer, withLocalIssuer } from './issuer/named.ts';
import { BACKEND_CLIENT_ID, DELEGATE_SCOPE, PAGE_CLIENT_ID, SELF_SCOPE } from './issuer/people.ts';
import {
  callersCredentials,
  DUMMY_CREDENTIALS,
  functionEnvironment,
  type Services,
} from './lambda/environment.ts';
import type { FunctionDescription } from './lambda/function-description.ts';
import { createFunctionPool, type FunctionPool } from './lambda/pool.ts';
import { createLocalMeetings, type LocalMeetings } from './meetings.ts';
import { createReport } from './page/report.ts';
import { type PageSettings, startPageServer } from './page/server.ts';
import { type Ports, portsFrom } from './ports.ts';
import { startS3 } from './s3/server.ts';
import { startSchedules } from './schedule.ts';
import { type LocalStack, readTemplate } from './template.ts';
import type { Terminal } from './terminal.ts';

/** AWS's own example account: nothing here belongs to one. */
const ACCOUNT_ID = '123456789012';

const DEFAULT_REGION = 'us-east-1';

const CHIME_VARIABLE = 'AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS';

/** The tenant of the ready-made meeting. */
const TENANT = 'acme';

export interface LocalSystemOptions {
  configFile: string;
  /** Of the API, which the other servers' follow; 0 for free ones. Another program may have one of the others, which is then a free one. */
  port: number;
  /** Whether a free port will do for the API too. */
  orFree: boolean;
  /** Where tables and keys are kept between starts; left out, they end with the system. */
  dataDirectory?: string;
  terminal: Terminal;
  /** Where the stack is synthesized to; removed in the end. */
  assemblyDirectory: string;
  /** How many handler processes may run at once. */
  concurrency: number;
  /** Whether the stack's scheduled functions run by themselves. */
  schedule: boolean;
  /** `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL_S3` and `AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS` replace the local part; credentials are for them. */
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

async function start(options: LocalSystemOptions, started: Started): Promise<LocalEnvironment> {
  const { configFile, assemblyDirectory, schedule, env, dataDirectory, terminal } = options;
  const ports = portsFrom(options.port);
  if (dataDirectory !== undefined) mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const kept = dataDirectory && { dataDirectory };
  const written = readConfigFile(configFile);
  const issuer = namesLocalIssuer(written)
    ? started(await startIssuer({ port: ports.issuer, ...kept }))
    : undefined;
  const config = parseConfig(issuer ? withLocalIssuer(written, issuer) : written, configFile);
  const region = config.region ?? DEFAULT_REGION;

  // There are events before there are functions: those of the ready-made meeting, which has no attendee.
  let bus: EventBus | undefined;
  const onEvent = (event: object) => bus?.publish(event);
  const services = await startServices(options, { region, ports, onEvent }, started);
  const isForeign = env[CHIME_VARIABLE] !== undefined;

  started({ close: async () => rmSync(assemblyDirectory, { recursive: true, force: true }) });
  const stack = synthesize(config, region, assemblyDirectory);
  const { credentials } = services;
  await createTables({ region, endpoint: services.dynamodbUrl, credentials }, stack.tables, {
    mustMatch: dataDirectory !== undefined && env['AWS_ENDPOINT_URL_DYNAMODB'] === undefined,
  });
  await createBuckets({ region, endpoint: services.s3Url, credentials }, stack.buckets);
  const meetings = createLocalMeetings(services);
  const meetingId = await createMeeting(meetings, isForeign);

  const functions = await startFunctions(stack, services, options, started);
  bus = started(createEventBus(stack.subscriptions, functions));
  const gateway = started(
    await startGateway(stack.api, {
      port: ports.api,
      orFree: options.orFree,
      functions,
      onAnswer: terminal.request,
      guard: (listener) => guarded(listener, 'api'),
    }),
  );
  if (schedule) started(startSchedules(stack.schedules, functions));

  const [rules] = config.issuers;
  const page = started(
    await startPageServer({
      port: ports.page,
      settings: pageSettings(gateway.url, rules, { ownIssuer: issuer !== undefined, local: !isForeign }),
      report: createReport(stateDirectory(env)),
      ...(!isForeign && { meetings }),
    }),
  );
  return {
    apiUrl: gateway.url,
    chimeUrl: services.chimeUrl,
    dynamodbUrl: services.dynamodbUrl,
    s3Url: services.s3Url,
    tableName: stack.outputs['AuditTableName'] as string,
    admissionTableName: stack.outputs['AdmissionTableName'] as string,
    openIntentTableName: stack.outputs['OpenIntentTableName'] as string,
    ...(stack.outputs['EventTableName'] !== undefined && {
      eventTableName: stack.outputs['EventTableName'] as string,
    }),
    ...sealsOf(stack),
    reconciler: functionIn(stack, 'ReconcilerFunctionName') as FunctionDescription,
    issuer: rules?.issuer ?? '',
    audience: rules?.audience[0] ?? '',
    region,
    ...(meetingId && { meetingId }),
    pageUrl: page.url,
    ...(issuer && {
      jwksUri: issuer.jwksUri,
      signUrl: issuer.signUrl,
      backendClientId: BACKEND_CLIENT_ID,
      backendClientSecret: issuer.backendClientSecret,
      issuerPid: issuer.pid,
    }),
    pid: process.pid,
  };
}

async function startFunctions(
  stack: LocalStack,
  services: Services,
  { concurrency, terminal }: LocalSystemOptions,
  started: Started,
): Promise<Map<string, FunctionPool>> {
  const byItself = new Set(
    [...stack.schedules, ...stack.subscriptions].map(({ functionArn }) => functionArn),
  );
  const functions = new Map(
    stack.functions.map((description) => {
      const environment = functionEnvironment(description, services);
      const pool = started(
        createFunctionPool(description, {
          environment,
          // One is enough for what nothing waits for, and leaves the processors to what answers requests.
          maxProcesses: byItself.has(description.arn) ? 1 : concurrency,
          output: (line) => terminal.functionLine(description.name, line),
        }),
      );
      return [description.arn, pool];
    }),
  );
  const answering = [...functions].filter(([arn]) => !byItself.has(arn));
  await Promise.all(answering.map(([, pool]) => pool.warm()));
  return functions;
}

function functionIn({ functions, outputs }: LocalStack, output: string): FunctionDescription | undefined {
  return functions.find(({ name }) => name === outputs[output]);
}

function sealsOf(stack: LocalStack): Pick<LocalEnvironment, 'sealBucketName' | 'sealPrefix' | 'sealer'> {
  const sealer = functionIn(stack, 'SealerFunctionName');
  if (sealer === undefined) return {};
  return {
    sealBucketName: stack.outputs['SealBucketName'] as string,
    sealPrefix: stack.outputs['SealPrefix'] as string,
    sealer,
  };
}

function pageSettings(
  apiUrl: string,
  rules: CompleteConfig['issuers'][number] | undefined,
  { ownIssuer, local }: { ownIssuer: boolean; local: boolean },
): PageSettings {
  return {
    apiUrl,
    issuer: rules?.issuer ?? '',
    clientId: ownIssuer ? PAGE_CLIENT_ID : (rules?.clientIds[0] ?? ''),
    scope: `openid ${DELEGATE_SCOPE} ${SELF_SCOPE}`,
    local,
    reports: true,
  };
}

/** Starts what no address in the environment replaces. */
async function startServices(
  { env, dataDirectory }: LocalSystemOptions,
  { region, ports, onEvent }: { region: string; ports: Ports; onEvent: (event: object) => void },
  started: Started,
): Promise<Required<Services>> {
  const foreign = {
    chime: env[CHIME_VARIABLE],
    dynamodb: env['AWS_ENDPOINT_URL_DYNAMODB'],
    s3: env['AWS_ENDPOINT_URL_S3'],
  };
  const keptIn = (name: string) => dataDirectory && { directory: path.join(dataDirectory, name) };
  return {
    region,
    chimeUrl: foreign.chime ?? started(await startEmulator(ports.chime, onEvent)).url,
    dynamodbUrl:
      foreign.dynamodb ?? started(await startDynamoDb({ port: ports.dynamodb, ...keptIn('dynamodb') })).url,
    s3Url: foreign.s3 ?? started(await startS3({ port: ports.s3, ...keptIn('s3') })).url,
    credentials:
      foreign.chime || foreign.dynamodb || foreign.s3 ? callersCredentials(env) : DUMMY_CREDENTIALS,
  };
}

function startEmulator(
  port: number,
  onEvent: (event: object) => void,
): Promise<{ url: string; close(): Promise<void> }> {
  const start = (from: number) =>
    startChimeEmulator({ port: from, onEvent, guard: (listener) => guarded(listener, 'none') });
  return start(port).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    return start(0);
  });
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

/** @returns the meeting's id; `undefined` where a Chime that is not the emulator refuses */
async function createMeeting(meetings: LocalMeetings, isForeign: boolean): Promise<string | undefined> {
  try {
    return (await meetings.create({ name: 'usher-local', tenants: [TENANT] })).meetingId;
  } catch (error) {
    if (isForeign) return undefined;
    throw error;
  }
}
