import type { Stack } from 'aws-cdk-lib';
import type { CfnDomainName, IDomainName } from 'aws-cdk-lib/aws-apigateway';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { CustomDomain } from '../attendee-api.ts';
import { resourceOf } from './cfn-resources.ts';
import { isElsewhere, isKnown } from './known-at-synthesis.ts';
import { placeOf, problemsWithPlace } from './places.ts';

/** A host name of at least two labels (RFC 1123 section 2.1), in lower case, as API Gateway requires. */
const HOST_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/;

/** The problem of a domain name for an API, as far as synthesis knows it. */
export function problemWithDomainName(name: string): string | undefined {
  if (!isKnown(name) || HOST_NAME.test(name)) return undefined;
  const [, host = ''] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#:]*)/i.exec(name.trim()) ?? [];
  const close = host.toLowerCase().replace(/\.$/, '');
  const remedy = HOST_NAME.test(close) ? `write ${close}` : 'use a name such as meetings.example.com';
  return `"${name}" is not a domain name in lower case without scheme, path and trailing dot, so the deployment would fail halfway or the URL would not work; ${remedy}`;
}

/** The certain problems of a facade's domain, existing or to be created, as `prop: problem`. */
export function* problemsWithDomain(domain: CustomDomain | IDomainName, stack: Stack): Generator<string> {
  if (!('certificate' in domain)) {
    const problem = problemWithDomainName(domain.domainName);
    if (problem !== undefined) yield `domain: ${problem}`;
    yield* problemsWithPlace('domain', placeOf(domain), stack);
    const resource = resourceOf(domain, 'AWS::ApiGateway::DomainName') as CfnDomainName | undefined;
    if (resource?.securityPolicy === 'TLS_1_0') {
      yield 'domain: accepts TLS 1.0, so an attacker on the network could read tokens; create it with TLS 1.2 or later';
    }
    return;
  }
  const { name, certificate, hostedZone } = domain;
  const problem = problemWithDomainName(name);
  if (problem !== undefined) yield `domain.name: ${problem}`;
  yield* problemsWithPlace('domain.certificate', placeOf(certificate, certificate.certificateArn), stack);
  if (hostedZone !== undefined) yield* problemsWithZone(hostedZone, name, stack);
}

function* problemsWithZone(zone: IHostedZone, name: string, stack: Stack): Generator<string> {
  const { account } = zone.env;
  if (isElsewhere(account, stack.account)) {
    yield `domain.hostedZone: belongs to account ${account}, but the stack deploys to ${stack.account} and cannot create a record there; remove hostedZone, and create the record in account ${account}`;
  }
  const zoneName = zoneNameOf(zone);
  if (zoneName === undefined || !isKnown(zoneName) || !isKnown(name)) return;
  const labels = (host: string) => `.${host.toLowerCase().replace(/\.$/, '')}`;
  if (!labels(name).endsWith(labels(zoneName))) {
    yield `domain.hostedZone: the zone ${zoneName} does not contain ${name}, so the record would never be found; use the zone of the name, or remove hostedZone`;
  }
}

/** The name of a zone; undefined if only its id is known, for which CDK throws. */
function zoneNameOf(zone: IHostedZone): string | undefined {
  try {
    return zone.zoneName;
  } catch {
    return undefined;
  }
}
