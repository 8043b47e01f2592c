import { describe, expect, it } from '@jest/globals';
import type { Template } from 'aws-cdk-lib/assertions';
import { problemOf } from '../support/configuration-error.ts';
import {
  addFacade,
  createApp,
  createForeignStack,
  createStack,
  flat,
  fullProduction,
  resourcesOf,
  synthesize,
  theResource,
} from '../support/synthesize.ts';

const GOV = 'us-gov-west-1';

/** Every text of a template, with references as their ids. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  if ('Fn::Join' in value) return [flat(value)];
  return Object.values(value).flatMap(textsOf);
}

const variablesOf = (template: Template, idPrefix: string) =>
  (
    theResource(template, 'AWS::Lambda::Function', idPrefix).Properties['Environment'] as {
      Variables: Record<string, unknown>;
    }
  ).Variables;

describe('GovCloud', () => {
  /** What is made where a configuration holds no ARN: none of the template's can come from there. */
  const everything = {
    region: GOV,
    logs: { access: true, accountRole: true },
    deployment: { canaryMinutes: 5 },
    limits: { provisionedConcurrency: 1 },
  };
  const template = synthesize(everything);

  it('finds no ARN of another partition in the template', () => {
    const arns = textsOf(template.toJSON()).flatMap((text) => text.match(/arn:[^:]*:[a-z0-9-]*:/g) ?? []);
    expect(arns.length).toBeGreaterThan(8);
    expect(new Set(arns.map((arn) => arn.split(':')[1]))).toEqual(new Set(['<AWS']));
  });

  it('finds none either if an app has literal partitions, as new apps have', () => {
    const app = createApp({ '@aws-cdk/core:enablePartitionLiterals': true });
    const literal = createStack(everything, app);
    addFacade(literal, {}, 'Second');
    const { Resources: resources } = JSON.parse(
      JSON.stringify(app.synth().getStackByName('usher-test').template),
    );
    const arns = textsOf(resources).flatMap((text) => text.match(/arn:[^:]*:/g) ?? []);
    expect(arns.length).toBeGreaterThan(8);
    expect(arns).toContain('arn:aws-us-gov:');
    expect(arns.filter((arn) => arn !== 'arn:aws-us-gov:' && arn !== 'arn:<AWS:')).toEqual([]);
  });

  it("uses and prints Cognito's FIPS address, the only one there", () => {
    const { TokenEndpoint: endpoint } = template.findOutputs('TokenEndpoint');
    expect(flat(endpoint?.['Value'])).toMatch(
      /^https:\/\/<\w+>\.auth-fips\.us-gov-west-1\.amazoncognito\.com\/oauth2\/token$/,
    );
  });

  it('meets in its own Region', () => {
    expect(variablesOf(template, 'Attendees')['MEETINGS_REGION']).toBe(GOV);
  });

  it('takes keys, certificates and topics by ARNs of its partition', () => {
    const inGov = (arn: string) => arn.replace('arn:aws:', 'arn:aws-us-gov:').replace('eu-central-1', GOV);
    const { encryptionKeyArn, domain, alarms } = fullProduction;
    const own = synthesize({
      ...fullProduction,
      region: GOV,
      encryptionKeyArn: inGov(encryptionKeyArn),
      domain: { ...domain, certificateArn: inGov(domain.certificateArn) },
      alarms: { topicArn: inGov(alarms.topicArn) },
    });
    expect(JSON.stringify(own.toJSON())).not.toContain('arn:aws:');
    expect(theResource(own, 'AWS::ApiGateway::DomainName').Properties['RegionalCertificateArn']).toBe(
      inGov(domain.certificateArn),
    );
  });

  it('cannot use meetings of the other partition, nor the other way round', () => {
    const problemWith = (region: string, meetingsRegion: string) =>
      problemOf(() => createStack({ region, meetingsRegion }));
    expect(problemWith(GOV, 'us-east-1')).toMatch(
      /meetingsRegion: us-east-1 and us-gov-west-1 are in different partitions,/,
    );
    expect(problemWith('us-east-1', GOV)).toMatch(
      /meetingsRegion: us-gov-west-1 and us-east-1 are in different partitions,/,
    );
    expect(problemWith('us-gov-east-1', GOV)).toBeUndefined();
    expect(problemOf(() => addFacade(createForeignStack(), { meetingsRegion: GOV }))).toBeUndefined();
  });
});

describe('a deployment outside the Regions that create meetings', () => {
  const template = synthesize({
    region: 'eu-west-1',
    account: '123456789012',
    meetingsRegion: 'eu-central-1',
  });

  it.each(['Attendees', 'Reconciler'])(
    'has %s ask Chime in the meetings Region, about meetings of that Region',
    (name) => {
      expect(variablesOf(template, name)['MEETINGS_REGION']).toBe('eu-central-1');
      const resources = resourcesOf(template, 'AWS::IAM::Policy', name).flatMap(({ Properties }) =>
        textsOf(Properties['PolicyDocument']),
      );
      expect(resources.filter((text) => text.includes(':chime:') && !text.includes(':chime::'))).toEqual([
        'arn:<AWS::Partition>:chime:eu-central-1:123456789012:meeting/*',
      ]);
    },
  );

  it('has everything else in its own Region', () => {
    expect(flat(template.findOutputs('ApiUrl')['ApiUrl']?.['Value'])).toContain('.execute-api.eu-west-1.');
    const elsewhere = textsOf(template.toJSON()).filter((text) => text.includes('eu-central-1'));
    expect(elsewhere.every((text) => text === 'eu-central-1' || text.includes(':chime:'))).toBe(true);
  });

  it('is rejected without one, with the list of available ones', () => {
    const problem = problemOf(() => addFacade(createForeignStack({ env: { region: 'eu-west-1' } })));
    const [, list = ''] = problem?.split('one of ') ?? [];
    expect(list.split(', ')).toEqual([
      'us-east-1',
      'us-west-2',
      'af-south-1',
      'ap-south-1',
      'ap-northeast-1',
      'ap-northeast-2',
      'ap-southeast-1',
      'ap-southeast-2',
      'ca-central-1',
      'eu-central-1',
      'eu-west-2',
      'il-central-1',
      'us-gov-east-1',
      'us-gov-west-1',
    ]);
  });
});
