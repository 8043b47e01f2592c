import type { RemovalPolicy } from 'aws-cdk-lib';
import type { IDomainName } from 'aws-cdk-lib/aws-apigateway';
import type { IUserPool } from 'aws-cdk-lib/aws-cognito';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { CustomDomain } from './attendee-api.ts';
import type { ExistingTables } from './audit-tables.ts';
import type { FacadeSettings } from './settings/props.ts';

/** The settings of a configuration file, and existing constructs. */
export interface AttendeeFacadeProps extends FacadeSettings {
  /**
   * Existing tables in the stack's account and Region, such as those of an `AuditTables` in a separate stack. Facades
   * that share tables need the same `meetingsRegion`: each looks for the meetings of all open batches there.
   * @default each omitted table is created
   */
  readonly tables?: ExistingTables;
  /**
   * Encrypts the created tables; existing tables have their own key. An alias works if its key is known.
   * @default the account's own key for DynamoDB
   */
  readonly encryptionKey?: IKey;
  /**
   * An existing Cognito user pool: it gets a resource server and a machine client. Only without issuers.
   * @default a pool is created
   */
  readonly userPool?: IUserPool;
  /**
   * An existing domain name, or the settings to create one. Its root is mapped to the API, which then has no other
   * address.
   * @default API Gateway's own address, with the stage's name
   */
  readonly domain?: CustomDomain | IDomainName;
  /**
   * An existing bucket for the seals in the stack's Region, such as one of another account, which an administrator of this one
   * cannot change. What it has to allow and to lock is in docs/seal-bucket.md.
   *
   * @default a bucket is created, where `seals` are made
   */
  readonly sealBucket?: IBucket;
  /**
   * Notified when an alarm begins and when it ends. Usher gives CloudWatch's alarms access if the app creates the
   * topic's policy or its key; the policy and key of any other topic must already allow them (docs/runbook.md).
   * @default alarms show in CloudWatch only
   */
  readonly alarmTopic?: ITopic;
  /**
   * The CloudWatch namespace of the functions' own metrics, unique to this facade.
   * @default Usher/ and the names of stack and construct
   */
  readonly metricsNamespace?: string;
  /**
   * What happens to the tables, the user pool and the logs when the stack is deleted. With `DESTROY` all of it is deleted,
   * the audit included, and nothing is protected against deletion: for preview environments. A bucket of seals always stays.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * A folder with the folders `create-attendees`, `reconciler`, `observer` and `sealer`, each with an `index.mjs`.
   * @default the functions of this package
   */
  readonly bundlesDirectory?: string;
}
