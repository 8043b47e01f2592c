import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

interface Template {
  Resources: Record<string, { Type: string; Properties: { Body: { paths: Record<string, PathItem> } } }>;
}

type PathItem = Record<string, unknown>;

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];
const ANY_METHOD = 'x-amazon-apigateway-any-method';

/**
 * Fits a template to what the emulator of AWS lacks. Nothing else may be changed here: what is deployed is the template.
 *
 * @param text the template, JSON
 * @param emulatorUrl without a trailing slash
 */
function fitTemplate(text: string, emulatorUrl: string): string {
  const template: Template = JSON.parse(text);
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type === 'AWS::ApiGateway::RestApi') Object.values(Properties.Body.paths).forEach(nameMethods);
  }
  return nameProvider(JSON.stringify(template), emulatorUrl);
}

/** Its import of an API definition knows only the methods by name. */
function nameMethods(pathItem: PathItem): void {
  const operation = pathItem[ANY_METHOD];
  if (operation === undefined) return;
  delete pathItem[ANY_METHOD];
  for (const method of METHODS) pathItem[method] ??= operation;
}

/** Its user pools have no ProviderURL, and it is not at AWS's address that it serves their keys. */
function nameProvider(text: string, emulatorUrl: string): string {
  return text
    .replaceAll(
      /\{"Fn::GetAtt":\["(\w+)","ProviderURL"\]\},"\/\.well-known\//g,
      `"${emulatorUrl}/",{"Ref":"$1"},"/.well-known/`,
    )
    .replaceAll(
      /\{"Fn::GetAtt":\["(\w+)","ProviderURL"\]\}/g,
      '{"Fn::Join":["",["https://",{"Fn::GetAtt":["$1","ProviderName"]}]]}',
    );
}

// The second half of the CDK app, which leaves the template in this directory.
const { CDK_OUTDIR = '', AWS_ENDPOINT_URL = '' } = process.env;
for (const file of readdirSync(CDK_OUTDIR).filter((name) => name.endsWith('.template.json'))) {
  const templateFile = path.join(CDK_OUTDIR, file);
  writeFileSync(templateFile, fitTemplate(readFileSync(templateFile, 'utf8'), AWS_ENDPOINT_URL));
}
