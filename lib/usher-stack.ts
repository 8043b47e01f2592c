import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CfnOutput, type CfnResource, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type ApiDocument, AttendeeApi } from './attendee-api.ts';
import { AttendeeFunction } from './attendee-function.ts';
import { AuditAlarms } from './audit-alarms.ts';
import { AuditTables } from './audit-tables.ts';
import { CallerPool } from './caller-pool.ts';
import type { UsherConfig } from './config.ts';
import { ReconcilerFunction } from './reconciler-function.ts';

const API_DOCUMENT = new URL('../openapi.json', import.meta.url);
const BUNDLES_DIRECTORY = new URL('../dist/lambda', import.meta.url);

export interface UsherStackProps {
  config: UsherConfig;
  /** The contract; left out, `openapi.json`. */
  apiDocument?: ApiDocument;
  /** The folder with a bundle's folder for each function; left out, the one that `npm run build` makes. */
  bundlesDirectory?: string;
}

/** All of one environment. Synthesis needs neither network nor credentials, and gives the same bytes every time. */
export class UsherStack extends Stack {
  constructor(scope: Construct, id: string, props: UsherStackProps) {
    const { config } = props;
    super(scope, id, {
      stackName: config.stackName,
      description: 'Usher: the audited front door to Amazon Chime SDK meetings',
      env: {
        ...(config.region === undefined ? {} : { region: config.region }),
        ...(config.account === undefined ? {} : { account: config.account }),
      },
      tags: config.tags,
      analyticsReporting: false,
    });

    const tables = new AuditTables(this, 'Tables');
    const pool =
      config.issuers.length === 0
        ? new CallerPool(this, 'Callers', { domainPrefix: config.cognito?.domainPrefix })
        : undefined;
    const issuers = pool === undefined ? config.issuers : [pool.rules];
    const meetingsRegion = config.meetingsRegion ?? this.region;
    const metricsNamespace = `Usher/${config.stackName}`;
    const bundlesDirectory = props.bundlesDirectory ?? fileURLToPath(BUNDLES_DIRECTORY);
    const attendees = new AttendeeFunction(this, 'Attendees', {
      config,
      issuers,
      meetingsRegion,
      auditTable: tables.audit,
      admissionTable: tables.admissions,
      metricsNamespace,
      bundleDirectory: join(bundlesDirectory, 'create-attendees'),
    });
    const reconciler = new ReconcilerFunction(this, 'Reconciler', {
      config,
      meetingsRegion,
      auditTable: tables.audit,
      admissionTable: tables.admissions,
      openIntentTable: tables.openIntents,
      metricsNamespace,
      bundleDirectory: join(bundlesDirectory, 'reconciler'),
    });
    new AuditAlarms(this, 'Alarms', { metricsNamespace, topicArn: config.alarms.topicArn });
    const api = new AttendeeApi(this, 'AttendeeApi', {
      config,
      document: props.apiDocument ?? JSON.parse(readFileSync(API_DOCUMENT, 'utf8')),
      handler: attendees.function,
    });

    // What holds data keeps its logical id, whatever is moved about in lib/: a new id would be a new, empty table.
    keepLogicalId(tables.audit, 'AuditTable');
    keepLogicalId(tables.admissions, 'AdmissionTable');
    keepLogicalId(tables.openIntents, 'OpenIntentTable');
    if (pool !== undefined) keepLogicalId(pool.pool, 'CallerPool');

    new CfnOutput(this, 'ApiUrl', { value: api.url });
    new CfnOutput(this, 'AuditTableName', { value: tables.audit.tableName });
    new CfnOutput(this, 'AdmissionTableName', { value: tables.admissions.tableName });
    new CfnOutput(this, 'OpenIntentTableName', { value: tables.openIntents.tableName });
    new CfnOutput(this, 'ReconcilerFunctionName', { value: reconciler.function.functionName });
    new CfnOutput(this, 'Issuer', { value: issuers.map(({ issuer }) => issuer).join(' ') });
    if (pool !== undefined) {
      new CfnOutput(this, 'ClientId', { value: pool.client.userPoolClientId });
      new CfnOutput(this, 'TokenEndpoint', { value: pool.tokenEndpoint });
    }
  }
}

function keepLogicalId(construct: Construct, logicalId: string): void {
  (construct.node.defaultChild as CfnResource).overrideLogicalId(logicalId);
}
