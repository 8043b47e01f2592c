import type { RemovalPolicy } from 'aws-cdk-lib';
import type { IDomainName } from 'aws-cdk-lib/aws-apigateway';
import type { IUserPool } from 'aws-cdk-lib/aws-cognito';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { CustomDomain } from './attendee-api.ts';
import type { ExistingTables } from './audit-tables.ts';
import type { FacadeSettings } from './settings/props.ts';

/** The settings that a configuration file has too, and existing constructs. */
export interface AttendeeFacadeProps extends FacadeSettings {
  /**
   * Existing tables in the stack's account and Region, such as those of an `AuditTables` in a stack of its own.
   * Facades that share tables need the same `meetingsRegion`: each looks for the meetings of all that is open there.
   *
   * @default each that is left out is created
   */
  readonly tables?: ExistingTables;
  /**
   * Encrypts the tables that are created; existing tables bring their own key. An alias is enough if the key behind it is known.
   *
   * @default the account's own key for DynamoDB
   */
  readonly encryptionKey?: IKey;
  /**
   * An existing Cognito user pool: it gets a resource server and a machine client. Only where no issuers are given.
   *
   * @default a pool is created
   */
  readonly userPool?: IUserPool;
  /**
   * An existing domain name, or what one is created from. Its root is mapped to the API, which then has no other
   * address.
   *
   * @default the API is where API Gateway puts it, under the stage's name
   */
  readonly domain?: CustomDomain | IDomainName;
  /**
   * Notified when an alarm begins and when it ends. CloudWatch's alarms get access where the app creates the topic's policy or
   * its key; the policy and the key of a topic from elsewhere need to allow them already (docs/runbook.md).
   *
   * @default alarms show in CloudWatch only
   */
  readonly alarmTopic?: ITopic;
  /**
   * The CloudWatch namespace of the functions' own metrics, of this facade alone.
   *
   * @default Usher/ and the names of stack and construct
   */
  readonly metricsNamespace?: string;
  /**
   * What happens to the tables, the user pool and the logs when the stack is deleted. With `DESTROY` all of it is deleted,
   * the audit included, and nothing is protected against deletion: for preview environments.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * A folder with a folder `create-attendees` and one `reconciler`, each with an `index.js`.
   *
   * @default the functions that come with this package
   */
  readonly bundlesDirectory?: string;
}
