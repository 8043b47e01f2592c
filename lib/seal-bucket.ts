import { AspectPriority, Aspects, CfnResource, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  type LifecycleRule,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acceptFindings } from './accepted-findings.ts';
import type { CompleteSettings } from './settings/props.ts';

export interface SealBucketProps {
  lock: NonNullable<CompleteSettings['seals']['lock']>;
  /** For how long a seal is locked, in days. */
  lockDays: number;
  /** Whether seals expire after it. */
  expires: boolean;
}

/** So long is what was deleted kept, where no lock keeps it. */
const NONCURRENT_DAYS = 30;

/**
 * Where seals are: objects that are written once, and locked from then on. It always outlives its stack, whatever removal
 * policy an app sets, since S3 deletes no bucket with locked objects: the deletion of the stack would fail.
 */
export class SealBucket extends Construct {
  readonly bucket: IBucket;

  constructor(scope: Construct, id: string, { lock, lockDays, expires }: SealBucketProps) {
    super(scope, id);
    const bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      ...(lock !== 'none' && {
        objectLockEnabled: true,
        objectLockDefaultRetention: ObjectLockRetention[lock](Duration.days(lockDays)),
      }),
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: expires ? expiryAfter(lockDays) : [],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.bucket = bucket as IBucket;
    const deny = (sid: string, action: string, conditions?: Record<string, Record<string, string>>) =>
      bucket.addToResourcePolicy(
        new PolicyStatement({
          sid,
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions: [action],
          resources: [bucket.arnForObjects('*')],
          ...(conditions && { conditions }),
        }),
      );
    // An object is written if there is none, by whomever. Parts of a multipart upload cannot have the header and are refused
    // with it, since no seal needs one (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html).
    deny('WriteOnce', 's3:PutObject', { Null: { 's3:if-none-match': 'true' } });
    // A lock keeps versions and does not keep an object from being hidden by a delete marker
    // (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html).
    if (lock !== 'none') deny('HideNone', 's3:DeleteObject');
    acceptFindings(bucket, {
      id: 'AwsSolutions-S1',
      reason:
        'One function writes an object an hour here; CloudTrail has data events for those who want to see reads.',
    });
    Aspects.of(this).add(
      {
        visit(node) {
          if (CfnResource.isCfnResource(node)) node.applyRemovalPolicy(RemovalPolicy.RETAIN);
        },
      },
      // After every aspect that may change the removal policy.
      { priority: AspectPriority.READONLY },
    );
  }
}

/** S3 deletes no version before its lock ends. An expired object is first hidden, and then deleted. */
function expiryAfter(lockDays: number): LifecycleRule[] {
  return [
    {
      id: 'ExpireAfterTheLock',
      expiration: Duration.days(lockDays),
      noncurrentVersionExpiration: Duration.days(NONCURRENT_DAYS),
    },
    { id: 'RemoveMarkers', expiredObjectDeleteMarker: true },
  ];
}
