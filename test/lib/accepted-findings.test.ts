import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type App, CfnResource, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { MockIntegration } from 'aws-cdk-lib/aws-apigateway';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { acceptFindings } from '../../lib/accepted-findings.ts';
import {
  addFacade,
  createApp,
  createForeignStack,
  createStack,
  fullProduction,
  issuer,
  resourcesOf,
} from '../support/synthesize.ts';

/** What `cdk init` writes into a new app, which changes how constructs are synthesized. */
const NEW_APP = JSON.parse(readFileSync('node_modules/aws-cdk-lib/recommended-feature-flags.json', 'utf8'));

const fullFacade = {
  issuers: [issuer],
  logs: { access: true, accountRole: true },
  limits: { reservedConcurrency: 20, provisionedConcurrency: 2 },
  deployment: { canaryMinutes: 10 },
} as const;

/** Every possible finding, in separate apps. */
const apps: [string, () => App][] = [
  ['a deployment to try', () => withStack(createApp(), { production: false })],
  ['one in production, unchanged', () => withStack(createApp(), {})],
  ['one with all there is', () => withStack(createApp(), fullProduction)],
  ['one in GovCloud', () => withStack(createApp(), { region: 'us-gov-west-1' })],
  ["facades in another app's stack", () => withFacades(createApp())],
  ['the same in an app as `cdk init` makes it', () => withFacades(createApp(NEW_APP))],
];

function withStack(app: App, config: object): App {
  createStack(config, app);
  return app;
}

function withFacades(app: App): App {
  const env = { region: 'eu-central-1', account: '123456789012' };
  const stack = createForeignStack({ env }, app);
  addFacade(stack, fullFacade, 'One');
  addFacade(stack, { production: false, meetingsRegion: 'us-east-1' }, 'Two');
  addFacade(new Stack(app, 'Anywhere'));
  return app;
}

/** What is found, as `construct/path rule`. */
function findings(app: App): string[] {
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${constructPath} ${ruleName}`),
  );
}

interface Acceptance {
  on: IConstruct;
  rule: string;
  reason: string;
}

/** What is accepted, wherever it is noted. */
function acceptances(app: App): Acceptance[] {
  return app.node.findAll().flatMap((on) =>
    on.node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) =>
        Object.entries(data as Record<string, string>).map(([rule, reason]) => ({
          on,
          rule: rule.replace(/^annotation::/i, ''),
          reason,
        })),
      ),
  );
}

function forgetAcceptances(construct: IConstruct): void {
  Object.defineProperty(construct.node, 'metadata', { value: [], configurable: true });
}

describe.each(apps)("cdk-nag's AwsSolutions, on %s", (_what, build) => {
  const app = build();
  const found = findings(app);
  const accepted = acceptances(app);
  const templates = app.node
    .findAll()
    .filter(Stack.isStack)
    .map((stack) => Template.fromStack(stack));
  const resources = templates.flatMap((template) => resourcesOf(template));
  for (const { on } of accepted) forgetAcceptances(on);
  const foundWithout = findings(app);

  it('finds only accepted findings', () => {
    expect(found).toEqual([]);
  });

  it('would find each thing that is accepted, on that very resource, if it were not', () => {
    expect(accepted.length).toBeGreaterThan(3);
    expect(foundWithout.toSorted()).toEqual(
      accepted.map(({ on, rule }) => `${on.node.path} ${rule}`).toSorted(),
    );
  });

  it('has acceptances on single resources only, each with a sentence for a reason, and the same in the template', () => {
    expect(accepted.filter(({ on }) => !CfnResource.isCfnResource(on))).toEqual([]);
    for (const { reason } of accepted) expect(reason).toMatch(/^[A-Z].{20,}\.$/);
    const noted = resources.flatMap(({ Metadata = {} }) => {
      const { rules_to_suppress: rules = [] } = (Metadata['cdk_nag'] ?? {}) as CdkNagMetadata;
      return rules.map(({ id, reason, applies_to: [finding] = [] }) => [
        finding ? `${id}[${finding}]` : id,
        reason,
      ]);
    });
    expect(noted.toSorted()).toEqual(accepted.map(({ rule, reason }) => [rule, reason]).toSorted());
    // What stands there holds for all of a stack, in cfn-lint and in cdk-nag 2.
    for (const template of templates) expect(template.toJSON()).not.toHaveProperty('Metadata');
  });

  it('has acceptances for cfn-lint of one rule and on functions alone, each with its reason', () => {
    const lint = resources.filter(({ Metadata = {} }) => Metadata['cfn-lint'] !== undefined);
    expect(lint.length).toBeGreaterThan(0);
    for (const { Type, Metadata = {} } of lint) {
      expect(Type).toBe('AWS::Lambda::Function');
      expect(Metadata['cfn-lint']).toEqual({ config: { ignore_checks: ['W3005'] } });
      expect(Metadata['accepted']).toEqual({ W3005: expect.stringMatching(/^[A-Z].{20,}\.$/) });
    }
  });
});

interface CdkNagMetadata {
  rules_to_suppress?: { id: string; reason: string; applies_to?: string[] }[];
}

describe("an app's own route", () => {
  it("is reported, since findings are only accepted on Usher's methods", () => {
    const app = createApp();
    const { restApi } = addFacade(createForeignStack({}, app)).api;
    restApi.root.addResource('health').addMethod('GET', new MockIntegration());
    const path = `${restApi.node.path}/Default/health/GET/Resource`;
    expect(findings(app).toSorted()).toEqual([`${path} AwsSolutions-APIG4`, `${path} AwsSolutions-COG4`]);
  });
});

describe('the check', () => {
  it('stops a synthesis with a finding, as in an app that adds it', () => {
    const app = createApp();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const { facade } = createStack({ production: false }, app);
    const stage = facade.api.restApi.deploymentStage.node.defaultChild as IConstruct;
    forgetAcceptances(stage);
    expect(() => app.synth()).toThrow("Acknowledge with 'AwsSolutions::AwsSolutions-APIG6'");
  });

  it('lets one without pass', () => {
    const app = createApp();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    createStack({ production: false }, app);
    expect(() => app.synth()).not.toThrow();
  });
});

describe('acceptFindings', () => {
  it('marks single resources only, so that no finding inside a construct is hidden', () => {
    const stack = createForeignStack();
    const facade = addFacade(stack);
    const noted = () => stack.node.findAll().flatMap(({ node }) => node.metadata).length;
    const before = noted();
    const finding = { id: 'AwsSolutions-IAM5', reason: 'None.' };
    acceptFindings(facade.attendees, finding);
    acceptFindings(stack, finding);
    acceptFindings(undefined, finding);
    expect(noted()).toBe(before);
  });
});
