import type { Stack } from 'aws-cdk-lib';
import { isElsewhere } from './known-at-synthesis.ts';

/** A Region and an account. */
export interface Place {
  region: string;
  account: string;
}

/** The place of a resource, from its ARN if known, because CDK does not set it for everything that it imports by ARN. */
export function placeOf({ env }: { readonly env: Place }, arn = ''): Place {
  const [, , , region = '', account = ''] = arn.split(':');
  return { region: region || env.region, account: account || env.account };
}

/** @param orElse an alternative remedy, appended to the sentence */
export function* problemsWithRegion(
  prop: string,
  place: Pick<Place, 'region'>,
  { region }: Stack,
  orElse = '',
): Generator<string> {
  if (isElsewhere(place.region, region)) {
    yield `${prop}: is in ${place.region}, but the stack deploys to ${region} and cannot use it; use one in ${region}${orElse}`;
  }
}

export function* problemsWithPlace(prop: string, place: Place, stack: Stack, orElse = ''): Generator<string> {
  yield* problemsWithRegion(prop, place, stack, orElse);
  const { account } = stack;
  if (isElsewhere(place.account, account)) {
    yield `${prop}: belongs to account ${place.account}, but the stack deploys to ${account} and cannot use it; use one in ${account}${orElse}`;
  }
}
