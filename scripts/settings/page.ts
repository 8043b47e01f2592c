import { type SettingSchema, settingSchemas } from './json-schema.ts';
import { boundsOf, defaultOf } from './props.ts';

const INTRODUCTION = `<!-- Made by \`npm run generate\` from lib/settings/schema.ts: change that, not this. -->
# Configuration

One file per environment, \`config/<env>.json\`: \`npx cdk deploy -c env=<env>\` reads it. Only \`stackName\` is required. Unknown keys and
dangerous combinations are refused at synthesis, with a message that names the key and says what to do.

An \`AttendeeFacade\` in an app of your own takes the same keys as props, except for those under [the environment](#the-environment): there,
constructs take their place ([API.md](../API.md)).
`;

/** The text of docs/configuration.md. */
export function renderPage(): string {
  const { facade, config } = settingSchemas('written');
  const fileOnly = new Set(
    Object.keys(config.properties ?? {}).filter((key) => !(key in (facade.properties ?? {}))),
  );
  const { topicArn } = config.properties?.['alarms']?.properties ?? {};
  const environment = pick(config, (key) => fileOnly.has(key));
  const own = {
    ...environment,
    properties: { ...environment.properties, 'alarms.topicArn': topicArn ?? {} },
  };
  return [
    INTRODUCTION,
    ...sectionOf('The environment', {
      ...own,
      description: 'Where the stack goes, and what exists already.',
    }),
    ...sectionOf('A facade', {
      ...pick(facade, () => true),
      description: 'What is deployed. Settings of one kind have a group each, below.',
    }),
  ].join('\n');
}

function pick(schema: SettingSchema, isMeant: (key: string) => boolean): SettingSchema {
  const properties = Object.entries(schema.properties ?? {}).filter(([key]) => isMeant(key));
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** A table of a group's keys, and a section for each group in it. */
function sectionOf(heading: string, schema: SettingSchema, path = ''): string[] {
  const keys = Object.entries(schema.properties ?? {});
  const groups = keys.flatMap(([key, property]) => {
    const [group, name] = property.items === undefined ? [property, key] : [property.items, `${key}[]`];
    return group.properties === undefined || group.ts !== undefined ? [] : [{ group, name: path + name }];
  });
  const rows = keys
    .filter(([, property]) => property.properties === undefined)
    .map(([key, property]) => rowOf(path + key, property, schema.required?.includes(key) ?? false));
  return [
    `## ${heading}`,
    '',
    ...[schema.description, schema.leftOut && `Optional. Default: ${schema.leftOut}.`].flatMap((text) =>
      text ? [linked(text), ''] : [],
    ),
    ...(rows.length === 0
      ? []
      : ['| key | value | default | meaning |', '| --- | --- | --- | --- |', ...rows, '']),
    ...groups.flatMap(({ group, name }) => sectionOf(`\`${name}\``, group, `${name}.`)),
  ];
}

function rowOf(key: string, schema: SettingSchema, isRequired: boolean): string {
  const cells = [
    `\`${key}\``,
    allowedValuesOf(schema),
    isRequired ? '**required**' : (defaultOf(schema) ?? 'none'),
    linked(schema.description ?? ''),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** `docs/x.md` as a link from a page that is in docs/ too. */
function linked(text: string): string {
  return text.replaceAll(/\bdocs\/([a-z-]+\.md)/g, '[$1]($1)');
}

function allowedValuesOf(schema: SettingSchema): string {
  const { anyOf, type, items, additionalProperties } = schema;
  if (anyOf !== undefined) return anyOf.map(allowedValuesOf).join(' or ');
  const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (type === 'array')
    return items?.properties === undefined ? `list of ${allowedValuesOf(items ?? {})}` : 'list';
  if (type === 'object' && schema.properties !== undefined)
    return `object of ${Object.keys(schema.properties)
      .map((key) => `\`${key}\``)
      .join(', ')}`;
  if (type === 'object') return `object of ${allowedValuesOf(additionalProperties || {})} by name`;
  return boundsOf(schema) ?? `${type}`;
}
