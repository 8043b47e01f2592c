import { join } from 'node:path';
import { Annotations, RemovalPolicies, RemovalPolicy } from 'aws-cdk-lib';
import type { IUserPool } from 'aws-cdk-lib/aws-cognito';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { IssuerRules } from '../lambda/model/issuer-rules.ts';
import { Alarms } from './alarms.ts';
import { AttendeeApi } from './attendee-api.ts';
import { AttendeeFacadeBase, type IAttendeeFacade, metricsOf, sealPrefixOf } from './attendee-facade-base.ts';
import { AttendeeFunction } from './attendee-function.ts';
import { type AuditTableSet, AuditTables } from './audit-tables.ts';
import { type CheckedProps, checkProps } from './checks/facade-props.ts';
import { CognitoIssuer } from './cognito-issuer.ts';
import { assertControlRegion } from './control-region-rule.ts';
import { defaultNamespace } from './facade-name.ts';
import type { AttendeeFacadeProps } from './facade-props.ts';
import { findBundles } from './find-bundles.ts';
import { Firewall } from './firewall.ts';
import { GradualDeployment } from './gradual-deployment.ts';
import { ObserverFunction } from './observer-function.ts';
import { OperationsDashboard } from './operations-dashboard.ts';
import { ReconcilerFunction } from './reconciler-function.ts';
import { protectOnlyWhatIsKept } from './removal-policy.ts';
import { SealBucket } from './seal-bucket.ts';
import { SealerFunction } from './sealer-function.ts';
import { hasFirewall, hasSeals, lockDaysOf, resourceServerOf } from './settings/complete.ts';
import type { CompleteSettings } from './settings/props.ts';
import { DEFAULT_STAGE_NAME } from './settings/schema.ts';

/** Identifies a facade of another stack. */
export interface AttendeeFacadeAttributes {
  /** Its `facadeName`; for a stack of `bin/usher.ts`, the stack's name. */
  readonly facadeName: string;
  /** Its tables, by `Table.fromTableAttributes`, with their `encryptionKey` if they have their own. */
  readonly tables: AuditTableSet;
  /**
   * The CloudWatch namespace of the functions' own metrics.
   *
   * @default Usher/ and the `facadeName`
   */
  readonly metricsNamespace?: string;
  /** @default v1 */
  readonly stageName?: string;
  /**
   * Where its seals are.
   *
   * @default none: `grantReadAudit` grants nothing on seals
   */
  readonly sealBucket?: IBucket | undefined;
}

/**
 * The audited front door to Amazon Chime SDK meetings: a REST API with the contract of `BatchCreateAttendee` and
 * `GetMeeting`, the function behind it, the audit's tables, the reconciler that finishes what a function could not, and
 * alarms and a dashboard.
 *
 * Synthesis needs no network, no credentials and no bundler.
 */
export class AttendeeFacade extends AttendeeFacadeBase {
  /** Imports a facade of another stack, in the account and Region of this one, for grants and metrics. Creates nothing. */
  static fromAttributes(scope: Construct, id: string, attributes: AttendeeFacadeAttributes): IAttendeeFacade {
    return new ExistingFacade(scope, id, attributes);
  }

  readonly facadeName: string;
  readonly metricsNamespace: string;
  readonly stageName: string;
  readonly tables: AuditTableSet;
  /** The URL of the API, without a trailing slash: clients append paths that begin with one. */
  readonly url: string;
  /** An app adds routes of its own to `api.restApi` (docs/construct.md). */
  readonly api: AttendeeApi;
  readonly attendees: AttendeeFunction;
  readonly reconciler: ReconcilerFunction;
  /** Undefined if Chime's events are not recorded. */
  readonly observer: ObserverFunction | undefined;
  /** Where the audit's seals are; undefined where none are made. */
  readonly sealBucket: IBucket | undefined;
  /** What seals the audit; undefined where none are made. */
  readonly sealer: SealerFunction | undefined;
  /** The created Cognito resources; undefined if issuers were given. */
  readonly cognitoIssuer: CognitoIssuer | undefined;
  /** The accepted issuers. */
  readonly issuers: string[];
  /** Undefined if it is off. */
  readonly firewall: Firewall | undefined;
  readonly alarms: Alarms;
  readonly dashboard: OperationsDashboard;

  /** @throws ConfigurationError, a line for each problem that names its prop, if the props are unsafe or do not work */
  constructor(scope: Construct, id: string, props: AttendeeFacadeProps = {}) {
    super(scope, id);
    const checked = checkProps(this, props);
    const { settings, name, namespace, meetingsRegion } = checked;
    this.facadeName = name;
    this.metricsNamespace = namespace;
    this.stageName = settings.stageName;
    assertControlRegion(this, meetingsRegion);

    this.tables = new AuditTables(this, 'Tables', {
      writeUnitsPerSecond: settings.limits.tableWriteUnitsPerSecond,
      readUnitsPerSecond: settings.limits.tableReadUnitsPerSecond,
      withEvents: checked.recordsEvents,
      ...(props.encryptionKey === undefined ? {} : { encryptionKey: props.encryptionKey }),
      ...(props.tables === undefined ? {} : { existing: props.tables }),
    });
    this.cognitoIssuer = this.#createCognitoIssuer(settings, props.userPool);
    const issuers = this.cognitoIssuer === undefined ? settings.issuers : [this.cognitoIssuer.rules];
    this.issuers = issuers.map(({ issuer }) => issuer);
    const bundles = props.bundlesDirectory ?? findBundles();
    this.attendees = this.#createAttendeeFunction(checked, issuers, bundles);
    this.reconciler = this.#createReconciler(checked, bundles);
    this.observer = this.#createObserver(checked, bundles);
    this.sealBucket = this.#createSealBucket(settings, props);
    this.sealer = this.#createSealer(settings, bundles);
    this.api = new AttendeeApi(this, 'AttendeeApi', {
      name,
      settings,
      handler: this.attendees.alias as IFunction,
      domain: props.domain,
    });
    this.url = this.api.url;
    this.firewall = this.#createFirewall(settings);
    const metrics = metricsOf(this);
    this.alarms = new Alarms(this, 'Alarms', {
      settings: settings.alarms,
      metrics,
      handler: this.attendees.function,
      reconciler: this.reconciler.function,
      observer: this.observer,
      sealer: this.sealer?.function,
      topic: props.alarmTopic,
    });
    this.dashboard = new OperationsDashboard(this, 'Operations', {
      alarms: this.alarms,
      metrics,
      handler: this.attendees.function,
      reconciler: this.reconciler.function,
      observer: this.observer,
      sealer: this.sealer?.function,
      tables: this.tables,
    });
    this.#createGradualDeployment(settings);
    protectOnlyWhatIsKept(this);
    if (props.removalPolicy === RemovalPolicy.DESTROY) RemovalPolicies.of(this).destroy();
  }

  #createCognitoIssuer(
    settings: CompleteSettings,
    userPool: IUserPool | undefined,
  ): CognitoIssuer | undefined {
    if (settings.issuers.length > 0) return undefined;
    return new CognitoIssuer(this, 'Callers', {
      name: this.facadeName,
      userPool,
      domainPrefix: settings.cognito.domainPrefix,
      resourceServer: resourceServerOf(settings),
    });
  }

  #createAttendeeFunction(
    { settings, meetingsRegion }: CheckedProps,
    issuers: IssuerRules[],
    bundles: string,
  ): AttendeeFunction {
    const attendees = new AttendeeFunction(this, 'Attendees', {
      settings,
      issuers,
      meetingsRegion,
      tables: this.tables,
      metricsNamespace: this.metricsNamespace,
      bundleDirectory: join(bundles, 'create-attendees'),
    });
    attendees.allowKeysOf(this.tables.audit, this.tables.admissions);
    return attendees;
  }

  #createReconciler({ settings, meetingsRegion }: CheckedProps, bundles: string): ReconcilerFunction {
    const reconciler = new ReconcilerFunction(this, 'Reconciler', {
      settings,
      meetingsRegion,
      tables: this.tables,
      metricsNamespace: this.metricsNamespace,
      bundleDirectory: join(bundles, 'reconciler'),
    });
    reconciler.allowKeysOf(this.tables.audit, this.tables.admissions, this.tables.openIntents);
    return reconciler;
  }

  #createObserver({ settings, recordsEvents }: CheckedProps, bundles: string): ObserverFunction | undefined {
    const { audit, admissions, events } = this.tables;
    if (!recordsEvents || events === undefined) {
      if (settings.events.enabled === undefined) {
        Annotations.of(this).addInfo(
          "Chime's events are not recorded: they arrive in the Region of the meetings, which is not known to be the stack's (events.enabled).",
        );
      }
      return undefined;
    }
    const observer = new ObserverFunction(this, 'Observer', {
      settings,
      tables: { audit, admissions, events },
      metricsNamespace: this.metricsNamespace,
      bundleDirectory: join(bundles, 'observer'),
    });
    observer.allowKeysOf(audit, admissions, events);
    return observer;
  }

  #createSealBucket(settings: CompleteSettings, props: AttendeeFacadeProps): IBucket | undefined {
    const isDestroyed = props.removalPolicy === RemovalPolicy.DESTROY;
    if (!hasSeals(settings, { isDestroyed })) return undefined;
    if (props.sealBucket !== undefined) return props.sealBucket;
    const { bucket } = new SealBucket(this, 'Seals', {
      lock: settings.seals.lock ?? 'governance',
      lockDays: lockDaysOf(settings),
      expires: settings.audit.retentionDays !== undefined,
    });
    return bucket;
  }

  #createSealer(settings: CompleteSettings, bundles: string): SealerFunction | undefined {
    if (this.sealBucket === undefined) return undefined;
    const sealer = new SealerFunction(this, 'Sealer', {
      settings,
      audit: this.tables.audit,
      bucket: this.sealBucket,
      prefix: sealPrefixOf(this),
      metricsNamespace: this.metricsNamespace,
      bundleDirectory: join(bundles, 'sealer'),
    });
    sealer.allowReadingByKeysOf(this.tables.audit);
    return sealer;
  }

  #createFirewall(settings: CompleteSettings): Firewall | undefined {
    if (!hasFirewall(settings)) return undefined;
    return new Firewall(this, 'Firewall', {
      stageArn: this.api.restApi.deploymentStage.stageArn,
      requestsPerFiveMinutes: settings.firewall.requestsPerFiveMinutes,
    });
  }

  #createGradualDeployment({ deployment: { canaryMinutes } }: CompleteSettings): void {
    if (canaryMinutes === undefined) return;
    new GradualDeployment(this, 'Deployment', {
      alias: this.attendees.alias,
      canaryMinutes,
      alarms: [this.alarms.serverErrors, this.alarms.functionFailing],
    });
  }
}

class ExistingFacade extends AttendeeFacadeBase {
  readonly facadeName: string;
  readonly metricsNamespace: string;
  readonly stageName: string;
  readonly tables: AuditTableSet;
  readonly sealBucket: IBucket | undefined;

  constructor(scope: Construct, id: string, attributes: AttendeeFacadeAttributes) {
    super(scope, id);
    this.facadeName = attributes.facadeName;
    this.metricsNamespace = attributes.metricsNamespace ?? defaultNamespace(attributes.facadeName);
    this.stageName = attributes.stageName ?? DEFAULT_STAGE_NAME;
    this.tables = attributes.tables;
    this.sealBucket = attributes.sealBucket;
  }
}
