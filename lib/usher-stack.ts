import { CfnOutput, CfnResource, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct, IConstruct } from 'constructs';
import type { CustomDomain } from './attendee-api.ts';
import { AttendeeFacade } from './attendee-facade.ts';
import { sealPrefixOf } from './attendee-facade-base.ts';
import { parseConfig } from './settings/complete.ts';
import type { DomainConfig, EnvironmentConfig } from './settings/props.ts';

export interface UsherStackProps {
  /** The content of a configuration file (docs/configuration.md). */
  readonly config: EnvironmentConfig;
  /**
   * The folder with a bundle's folder for each function.
   * @default the functions of this package
   */
  readonly bundlesDirectory?: string;
}

/** One environment: a facade. Synthesis needs neither network nor credentials, and gives the same bytes every time. */
export class UsherStack extends Stack {
  readonly facade: AttendeeFacade;

  /** @throws ConfigurationError if the configuration is unsafe or does not work */
  constructor(scope: Construct, id: string, props: UsherStackProps) {
    const { config, ...replaced } = props;
    const { stackName, region, account, tags, encryptionKeyArn, removalPolicy, domain, ...others } =
      parseConfig(config, id);
    const { alarms, seals, ...settings } = others;
    const { topicArn, ...alarmSettings } = alarms;
    const { bucketArn, ...sealSettings } = seals;
    super(scope, id, {
      stackName,
      description: 'Usher: the audited front door to Amazon Chime SDK meetings',
      env: {
        ...(region === undefined ? {} : { region }),
        ...(account === undefined ? {} : { account }),
      },
      tags,
      analyticsReporting: false,
    });

    // The id adds nothing to the ids inside it, which are the stack's own.
    const facade = new AttendeeFacade(this, 'Default', {
      ...settings,
      ...replaced,
      alarms: alarmSettings,
      seals: sealSettings,
      removalPolicy: removalPolicy === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      ...(encryptionKeyArn === undefined
        ? {}
        : { encryptionKey: Key.fromKeyArn(this, 'TableKey', encryptionKeyArn) }),
      ...(domain === undefined ? {} : { domain: customDomain(this, domain) }),
      ...(bucketArn === undefined
        ? {}
        : { sealBucket: Bucket.fromBucketArn(this, 'ExistingSealBucket', bucketArn) }),
      ...(topicArn === undefined ? {} : { alarmTopic: Topic.fromTopicArn(this, 'AlarmTopic', topicArn) }),
    });
    this.facade = facade;
    const { audit, admissions, openIntents, events } = facade.tables;

    // Data keeps its logical id, whatever moves in lib/: a new id would be a new, empty table.
    keepLogicalId(audit, 'AuditTable');
    keepLogicalId(admissions, 'AdmissionTable');
    keepLogicalId(openIntents, 'OpenIntentTable');
    if (events !== undefined) keepLogicalId(events, 'EventTable');
    if (facade.cognitoIssuer !== undefined) keepLogicalId(facade.cognitoIssuer.pool, 'CallerPool');

    new CfnOutput(this, 'ApiUrl', { value: facade.url });
    new CfnOutput(this, 'AuditTableName', { value: audit.tableName });
    new CfnOutput(this, 'AdmissionTableName', { value: admissions.tableName });
    new CfnOutput(this, 'OpenIntentTableName', { value: openIntents.tableName });
    if (events !== undefined) new CfnOutput(this, 'EventTableName', { value: events.tableName });
    new CfnOutput(this, 'ReconcilerFunctionName', { value: facade.reconciler.function.functionName });
    if (facade.sealBucket !== undefined && facade.sealer !== undefined) {
      new CfnOutput(this, 'SealBucketName', { value: facade.sealBucket.bucketName });
      new CfnOutput(this, 'SealPrefix', { value: sealPrefixOf(facade) });
      new CfnOutput(this, 'SealerFunctionName', { value: facade.sealer.function.functionName });
    }
    new CfnOutput(this, 'Issuer', { value: facade.issuers.join(' ') });
    if (facade.cognitoIssuer?.tokenEndpoint !== undefined) {
      new CfnOutput(this, 'ClientId', { value: facade.cognitoIssuer.client.userPoolClientId });
      new CfnOutput(this, 'TokenEndpoint', { value: facade.cognitoIssuer.tokenEndpoint });
    }
  }
}

function customDomain(scope: Construct, { name, certificateArn, hostedZone }: DomainConfig): CustomDomain {
  return {
    name,
    certificate: Certificate.fromCertificateArn(scope, 'Certificate', certificateArn),
    ...(hostedZone === undefined
      ? {}
      : {
          hostedZone: HostedZone.fromHostedZoneAttributes(scope, 'HostedZone', {
            hostedZoneId: hostedZone.id,
            zoneName: hostedZone.name,
          }),
        }),
  };
}

function keepLogicalId(construct: IConstruct, logicalId: string): void {
  const { defaultChild: resource } = construct.node;
  if (CfnResource.isCfnResource(resource)) resource.overrideLogicalId(logicalId);
}
