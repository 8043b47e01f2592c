import { createHash } from 'node:crypto';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Duration, FileSystem, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { type IRole, Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  type AliasOptions,
  ApplicationLogLevel,
  Architecture,
  Code,
  type IVersion,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acceptFindings } from './accepted-findings.ts';
import { assertBuilt } from './checks/bundles.ts';
import { ConfigurationError } from './checks/configuration-error.ts';
import { meetingArns, meetingArnsForNag } from './meeting-arns.ts';
import type { CompleteSettings } from './settings/props.ts';
import { keyArnsOf, throughDynamoDB } from './table-encryption.ts';

/**
 * DynamoDB's use of a table's key on behalf of a role that reads and writes items. `kms:CreateGrant`, which it also
 * documents, is for the principal that chooses the key: the one that deploys
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html).
 */
const KEY_ACTIONS = [
  'Decrypt',
  'DescribeKey',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
].map((action) => `kms:${action}`);

/** The same for a role that only reads, as CDK's `grantReadData` has it. */
const READING_KEY_ACTIONS = ['kms:Decrypt', 'kms:DescribeKey'];

export interface UsherFunctionProps {
  description: string;
  roleDescription: string;
  logs: CompleteSettings['logs'];
  /** The folder with the bundle, its entry `index.mjs`. */
  bundleDirectory: string;
  /** Text files beside the bundle, by name. */
  files?: Record<string, string>;
  environment: Record<string, string>;
  memoryMb: number;
  timeout: Duration;
  reservedConcurrency?: number | undefined;
  alias: AliasOptions;
}

/** The common parts of the functions: Lambda's Node, a log group with a retention, a role without permissions, an alias. */
export class UsherFunction extends Construct {
  readonly function: LambdaFunction;
  /** Callers invoke this: it points to the version that was deployed last. */
  readonly alias: Alias;
  readonly logGroup: LogGroup;
  readonly #role: Role;

  constructor(scope: Construct, id: string, props: UsherFunctionProps) {
    super(scope, id);
    assertBuilt(props.bundleDirectory);
    this.logGroup = new LogGroup(this, 'Logs', { retention: props.logs.retentionDays });
    this.#role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: props.roleDescription,
    });
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], this.logGroup.logGroupArn);

    this.function = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: codeOf(props.bundleDirectory, props.files),
      handler: 'index.handler',
      role: this.#fixedRole(),
      environment: props.environment,
      memorySize: props.memoryMb,
      timeout: props.timeout,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel[props.logs.level],
      ...(props.reservedConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: props.reservedConcurrency }),
      // Keeps an earlier version, so that the alias can be rolled back to it at once. A version left by a failed
      // deployment would block the next attempt.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
    });
    acceptFindings(this.function, {
      id: 'W3005',
      reason:
        'CDK makes a function depend on its role and its policy, and the function refers to the role too.',
    });
    this.alias = new Alias(this, 'Live', {
      aliasName: 'live',
      version: this.function.currentVersion as IVersion,
      ...props.alias,
    });
  }

  /**
   * The role as others see it. All permissions of a function are in these constructs; CDK's own role without policies
   * reports every grant as made.
   */
  #fixedRole(): IRole {
    const refuse = (): never => {
      throw new ConfigurationError(
        `${this.node.path}: accepts no grants: it has exactly the permissions that Usher needs; grant them to your own function or role`,
      );
    };
    return Object.assign(this.#role.withoutPolicyUpdates(), {
      addToPrincipalPolicy: refuse,
      addToPolicy: refuse,
      attachInlinePolicy: refuse,
      addManagedPolicy: refuse,
    });
  }

  /** Allows the function to call these operations on these resources. */
  allow(actions: string[], ...resources: string[]): void {
    this.#role.addToPolicy(new PolicyStatement({ actions, resources }));
  }

  /** Lets the function call these operations on whatever has an ARN that begins like this, for the reason that is given. */
  allowUnder(actions: string[], arnPrefix: string, reason: string): void {
    const arn = `${arnPrefix}*`;
    this.allow(actions, arn);
    acceptFindings(this.#role.node.tryFindChild('DefaultPolicy'), {
      id: `AwsSolutions-IAM5[Resource::${forNag(Stack.of(this).resolve(arn))}]`,
      reason,
    });
  }

  /** Allows the function to call these Chime operations on the account's meetings in one Region. */
  allowOnMeetings(actions: string[], meetingsRegion: string): void {
    const stack = Stack.of(this);
    this.allow(actions, ...meetingArns(stack, meetingsRegion));
    acceptFindings(
      this.#role.node.tryFindChild('DefaultPolicy'),
      ...meetingArnsForNag(stack, meetingsRegion).map((arn) => ({
        id: `AwsSolutions-IAM5[Resource::${arn}]`,
        reason: "Meetings are only known once they begin: Usher's policy decides who may join which.",
      })),
    );
  }

  /**
   * Allows the function to use the customer-managed keys of these tables. This must take effect before a table gets its
   * key: hence a separate policy, because the other one waits for the tables.
   */
  allowKeysOf(...tables: ITable[]): void {
    this.#allowKeys(KEY_ACTIONS, tables);
  }

  /** The same for a function that writes nothing there. */
  allowReadingByKeysOf(...tables: ITable[]): void {
    this.#allowKeys(READING_KEY_ACTIONS, tables);
  }

  #allowKeys(actions: string[], tables: ITable[]): void {
    const resources = keyArnsOf(...tables);
    if (resources.length === 0) return;
    const policy = new Policy(this, 'TableKeys', {
      roles: [this.#role],
      statements: [
        new PolicyStatement({
          actions,
          resources,
          conditions: throughDynamoDB(this),
        }),
      ],
    });
    for (const table of tables) {
      if (Stack.of(table) === Stack.of(this)) table.node.addDependency(policy);
    }
    // The function would not wait for it because of existing tables alone.
    this.function.node.addDependency(policy);
  }
}

/** A bundle, and files beside it. The asset is named by its content, so that the same content makes the same asset. */
function codeOf(bundleDirectory: string, files: Record<string, string> = {}): Code {
  const entries = Object.entries(files);
  if (entries.length === 0) return Code.fromAsset(bundleDirectory);
  const bundle = FileSystem.fingerprint(bundleDirectory);
  return Code.fromAsset(bundleDirectory, {
    assetHash: createHash('sha256')
      .update(JSON.stringify([bundle, entries]))
      .digest('hex'),
    bundling: {
      // Required by the type: only the local bundling ever runs.
      image: Runtime.NODEJS_24_X.bundlingImage,
      local: {
        tryBundle(outputDirectory) {
          cpSync(bundleDirectory, outputDirectory, { recursive: true });
          for (const [name, text] of entries) writeFileSync(join(outputDirectory, name), text);
          return true;
        },
      },
    },
  });
}

/** A resolved text as cdk-nag names it in a finding: references by what they refer to. */
function forNag(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Intrinsics;
  if (ref !== undefined) return `<${ref}>`;
  if (attribute !== undefined) return `<${attribute.join('.')}>`;
  return join === undefined ? JSON.stringify(value) : join[1].map(forNag).join(join[0]);
}

interface Intrinsics {
  Ref?: string;
  'Fn::GetAtt'?: string[];
  'Fn::Join'?: [separator: string, parts: unknown[]];
}
