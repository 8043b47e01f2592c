import type { ApiDescription } from '../../local/api-template.ts';
import type { Template } from '../../local/cloudformation.ts';
import { readTemplate } from '../../local/template.ts';
import { issuer, synthesize } from './synthesize.ts';

/** The API as it would be deployed, in the form in which the local gateway reads it. */
export function deployedApi(): ApiDescription {
  const template = synthesize({ issuers: [issuer] }).toJSON() as unknown as Template;
  return readTemplate(template, {
    stackName: 'usher-test',
    region: 'us-east-1',
    accountId: '123456789012',
    assetDirectory: (objectKey) => objectKey,
  }).api;
}
