import { Duration } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { TABLES } from '../lambda/audit/schema.ts';
import type { SealerEnvironment } from '../lambda/sealer/environment.ts';
import type { CompleteSettings } from './settings/props.ts';
import { UsherFunction } from './usher-function.ts';

export interface SealerFunctionProps {
  settings: CompleteSettings;
  /** The table of facts. */
  audit: ITable;
  bucket: IBucket;
  /** What the keys of this facade's seals begin with. */
  prefix: string;
  metricsNamespace: string;
  /** The folder with the bundle, its entry `index.mjs`. */
  bundleDirectory: string;
}

/** The function that seals the facts of each hour, and all that it may ever do. */
export class SealerFunction extends UsherFunction {
  constructor(scope: Construct, id: string, props: SealerFunctionProps) {
    const { settings, audit, bucket, prefix } = props;
    const environment: SealerEnvironment = {
      AUDIT_TABLE_NAME: audit.tableName,
      SEAL_BUCKET_NAME: bucket.bucketName,
      SEAL_PREFIX: prefix,
      POWERTOOLS_SERVICE_NAME: 'usher',
      POWERTOOLS_LOG_LEVEL: settings.logs.level,
      POWERTOOLS_METRICS_NAMESPACE: props.metricsNamespace,
    };
    super(scope, id, {
      description: 'Usher: seals the audit records of each hour',
      roleDescription:
        'Usher: reads the audit, and writes seals of it, which it can neither change nor delete',
      logs: settings.logs,
      bundleDirectory: props.bundleDirectory,
      environment: { ...environment },
      // The seals of two busy days are in it (docs/decisions/0030-seals-are-a-chain-of-locked-objects.md).
      memoryMb: 1024,
      timeout: Duration.minutes(14),
      // A run that fails is repeated within minutes; what is left then, the next hour's run does.
      alias: { retryAttempts: 2, maxEventAge: Duration.minutes(50) },
    });
    const { byDay, denialsByDay } = TABLES.audit.indexes;
    this.allow(['dynamodb:BatchGetItem'], audit.tableArn);
    this.allow(
      ['dynamodb:Query'],
      ...[byDay, denialsByDay].map(({ name }) => `${audit.tableArn}/index/${name}`),
    );
    this.allowUnder(
      ['s3:PutObject', 's3:GetObject'],
      bucket.arnForObjects(prefix),
      'The seals of one facade: each hour has an object of its own.',
    );
    this.allow(['s3:ListBucket'], bucket.bucketArn);

    new Rule(this, 'EveryHour', {
      description: 'Usher: runs the sealer',
      schedule: Schedule.rate(Duration.hours(1)),
      targets: [new LambdaTarget(this.alias as IFunction, { event: RuleTargetInput.fromObject({}) })],
    });
  }
}
