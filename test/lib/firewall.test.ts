import { describe, expect, it } from '@jest/globals';
import { flat, synthesize, theResource } from '../support/synthesize.ts';

interface Rule {
  Name: string;
  Priority: number;
  Action?: object;
  OverrideAction?: object;
  Statement: {
    RateBasedStatement?: object;
    ManagedRuleGroupStatement?: {
      VendorName: string;
      Name: string;
      RuleActionOverrides: { Name: string; ActionToUse: object }[];
    };
  };
  VisibilityConfig: object;
}

const template = synthesize({ firewall: { requestsPerFiveMinutes: 500 } });
const webAcl = theResource(template, 'AWS::WAFv2::WebACL');
const rules = webAcl.Properties['Rules'] as Rule[];

describe('the firewall', () => {
  it.each<[string, object, number]>([
    ['is on in production, which is what a configuration means unless it says otherwise', {}, 1],
    ['is off outside production', { production: false }, 0],
    ['can be off in production', { firewall: { enabled: false } }, 0],
    ['can be on elsewhere', { production: false, firewall: { enabled: true } }, 1],
  ])('%s', (_what, config, count) => {
    const synthesized = synthesize(config);
    synthesized.resourceCountIs('AWS::WAFv2::WebACL', count);
    synthesized.resourceCountIs('AWS::WAFv2::WebACLAssociation', count);
  });

  it("stands before the API's stage", () => {
    const { Properties: association } = theResource(template, 'AWS::WAFv2::WebACLAssociation');
    const api = theResource(template, 'AWS::ApiGateway::RestApi').id;
    const stage = theResource(template, 'AWS::ApiGateway::Stage').id;
    expect(flat(association['ResourceArn'])).toBe(
      `arn:<AWS::Partition>:apigateway:<AWS::Region>::/restapis/<${api}>/stages/<${stage}>`,
    );
    expect(flat(association['WebACLArn'])).toBe(`<${webAcl.id}.Arn>`);
    expect(webAcl.Properties).toMatchObject({ Scope: 'REGIONAL', DefaultAction: { Allow: {} } });
  });

  it('begins with a limit by source address', () => {
    expect(rules.toSorted((a, b) => a.Priority - b.Priority)[0]).toEqual({
      Name: 'RateBySourceAddress',
      Priority: 0,
      Action: { Block: {} },
      Statement: {
        RateBasedStatement: { AggregateKeyType: 'IP', EvaluationWindowSec: 300, Limit: 500 },
      },
      VisibilityConfig: expect.anything(),
    });
  });

  it('limits an IP address to 3000 requests in five minutes by default', () => {
    const [limit] = theResource(synthesize(), 'AWS::WAFv2::WebACL').Properties['Rules'] as Rule[];
    expect(limit?.Statement.RateBasedStatement).toMatchObject({ Limit: 3000 });
  });

  it("blocks by AWS's managed rules, except those that would refuse what the contract allows", () => {
    const managed = rules.flatMap(({ OverrideAction, Statement: { ManagedRuleGroupStatement: group } }) => {
      if (group === undefined) return [];
      expect(OverrideAction).toEqual({ None: {} });
      const { VendorName, Name, RuleActionOverrides, ...others } = group;
      // A version would stay as it is, and a narrower statement would let the rest through.
      expect(others).toEqual({});
      return [[VendorName, Name, RuleActionOverrides]];
    });
    const count = (Name: string) => ({ Name, ActionToUse: { Count: {} } });
    expect(managed).toEqual([
      ['AWS', 'AWSManagedRulesAmazonIpReputationList', []],
      ['AWS', 'AWSManagedRulesKnownBadInputsRuleSet', []],
      [
        'AWS',
        'AWSManagedRulesCommonRuleSet',
        [
          count('SizeRestrictions_BODY'),
          count('CrossSiteScripting_BODY'),
          count('EC2MetaDataSSRF_BODY'),
          count('GenericLFI_BODY'),
          count('GenericRFI_BODY'),
          count('NoUserAgent_HEADER'),
        ],
      ],
    ]);
  });

  it('counts in CloudWatch, and keeps no samples of requests, which would hold bearer tokens', () => {
    const visibility = [webAcl.Properties['VisibilityConfig'], ...rules.map((rule) => rule.VisibilityConfig)];
    expect(visibility).toHaveLength(1 + rules.length);
    for (const config of visibility) {
      expect(config).toMatchObject({ CloudWatchMetricsEnabled: true, SampledRequestsEnabled: false });
    }
  });
});
