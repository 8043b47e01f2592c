/** A synthesized CloudFormation template, as far as the local system reads it. */
export interface Template {
  Resources: Record<string, Resource>;
  Outputs?: Record<string, { Value: unknown }>;
}

interface Resource {
  Type: string;
  Properties?: Record<string, unknown>;
}

/** The context that the template itself does not hold. */
export interface TemplateContext {
  stackName: string;
  region: string;
  accountId: string;
  /** The directory that CDK would zip and upload under this S3 object key. */
  assetDirectory(objectKey: string): string;
}

export type Properties = Record<string, unknown>;
export type Resolve = (value: unknown) => unknown;

/** The resources of a type, by their logical ids. */
export function resourcesOf(template: Template, type: string): [string, Properties][] {
  return Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([logicalId, resource]) => [logicalId, resource.Properties ?? {}]);
}

export function physicalName(logicalId: string, explicitName: unknown, context: TemplateContext): string {
  return typeof explicitName === 'string' ? explicitName : `${context.stackName}-${logicalId}`;
}

/** Buckets have no upper-case letters in their names. */
export function bucketName(logicalId: string, explicitName: unknown, context: TemplateContext): string {
  return physicalName(logicalId, explicitName, context).toLowerCase();
}

export function functionArn(name: string, { region, accountId }: TemplateContext): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${name}`;
}

/** API ids are ten characters of a-z and 0-9. */
export function apiId(logicalId: string): string {
  return logicalId
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .padEnd(10, '0')
    .slice(-10);
}

/** The value of `Fn::GetAtt` for the `RootResourceId` of an API. */
export function rootResourceId(apiLogicalId: string): string {
  return `${apiId(apiLogicalId)}-root`;
}

/**
 * Evaluates intrinsic functions, as far as CDK's output uses them
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
 */
export function createResolver(template: Template, context: TemplateContext): Resolve {
  const pseudoParameters: Record<string, string> = {
    'AWS::AccountId': context.accountId,
    'AWS::Partition': 'aws',
    'AWS::Region': context.region,
    'AWS::StackName': context.stackName,
    'AWS::URLSuffix': 'amazonaws.com',
  };

  function ref(name: string): string {
    const pseudo = pseudoParameters[name];
    if (pseudo !== undefined) return pseudo;
    const resource = template.Resources[name];
    if (resource === undefined)
      throw new Error(`The template refers to ${name}, which the local system does not have.`);
    const properties = resource.Properties ?? {};
    switch (resource.Type) {
      case 'AWS::Lambda::Function':
        return physicalName(name, resolve(properties['FunctionName']), context);
      case 'AWS::Lambda::Alias':
        return `${functionArn(resolve(properties['FunctionName']) as string, context)}:${resolve(properties['Name'])}`;
      case 'AWS::DynamoDB::Table':
      case 'AWS::DynamoDB::GlobalTable':
        return physicalName(name, resolve(properties['TableName']), context);
      case 'AWS::S3::Bucket':
        return bucketName(name, resolve(properties['BucketName']), context);
      case 'AWS::ApiGateway::RestApi':
        return apiId(name);
      case 'AWS::ApiGateway::Stage':
        return resolve(properties['StageName']) as string;
      default:
        return `${context.stackName}-${name}`;
    }
  }

  function attribute(logicalId: string, name: string): string {
    const type = template.Resources[logicalId]?.Type;
    const { region, accountId } = context;
    if (name === 'RootResourceId' && type === 'AWS::ApiGateway::RestApi') return rootResourceId(logicalId);
    const arns: Record<string, string> = {
      'AWS::Lambda::Function': `lambda:${region}:${accountId}:function:`,
      'AWS::DynamoDB::Table': `dynamodb:${region}:${accountId}:table/`,
      'AWS::DynamoDB::GlobalTable': `dynamodb:${region}:${accountId}:table/`,
      'AWS::SQS::Queue': `sqs:${region}:${accountId}:`,
      'AWS::S3::Bucket': 's3:::',
      'AWS::IAM::Role': `iam::${accountId}:role/`,
    };
    const arn = arns[type ?? ''];
    if (name === 'Arn' && arn !== undefined) return `arn:aws:${arn}${ref(logicalId)}`;
    throw new Error(`The local system does not support the attribute ${name} of ${logicalId} (${type}).`);
  }

  function substitute(argument: unknown): string {
    const [text, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Properties];
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (name in variables) return String(resolve(variables[name]));
      const [logicalId, ...rest] = name.split('.');
      return rest.length > 0 ? attribute(logicalId as string, rest.join('.')) : ref(name);
    });
  }

  function intrinsic(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return ref(argument as string);
      case 'Fn::GetAtt': {
        const [logicalId, ...rest] = Array.isArray(argument) ? argument : String(argument).split('.');
        return attribute(logicalId, rest.join('.'));
      }
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown];
        return (resolve(parts) as string[]).join(separator);
      }
      case 'Fn::Sub':
        return substitute(argument);
      default:
        throw new Error(`The local system does not support the intrinsic function ${name}.`);
    }
  }

  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [first] = entries;
    if (entries.length === 1 && first && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
      return intrinsic(first[0], first[1]);
    }
    return Object.fromEntries(entries.map(([key, inner]) => [key, resolve(inner)]));
  }

  return resolve;
}
