import { isDeepStrictEqual } from 'node:util';
import { type NamedType, type SettingSchema, settingSchemas } from './json-schema.ts';

type Form = 'written' | 'complete';

const COMPLETE_NAMES: Record<string, string> = {
  FacadeSettings: 'CompleteSettings',
  EnvironmentConfig: 'CompleteConfig',
};

/** The text of lib/settings/props.ts: an interface for each group of settings, as written and complete. */
export function renderProps(): string {
  const interfaces = new Map<string, string>();
  const imports = new Map<string, Set<string>>();
  for (const form of ['written', 'complete'] as const) {
    const { facade, config } = settingSchemas(form);
    const writer = new InterfaceWriter(form, interfaces, imports);
    const parent = writer.interfaceOf(facade);
    const own = Object.entries(config.properties ?? {}).filter(
      ([key, schema]) => !isDeepStrictEqual(schema, facade.properties?.[key]),
    );
    writer.interfaceOf({ ...config, properties: Object.fromEntries(own) }, parent);
  }
  const importLines = [...imports]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([from, names]) => `import type { ${[...names].toSorted().join(', ')} } from '${from}';`);
  return [
    '// Made by `npm run generate` from schema.ts: change that, not this.',
    '',
    ...importLines,
    '',
    [...interfaces.values()].join('\n'),
  ].join('\n');
}

class InterfaceWriter {
  readonly #form: Form;
  readonly #interfaces: Map<string, string>;
  readonly #imports: Map<string, Set<string>>;

  constructor(form: Form, interfaces: Map<string, string>, imports: Map<string, Set<string>>) {
    this.#form = form;
    this.#interfaces = interfaces;
    this.#imports = imports;
  }

  /** @returns the interface's name. A complete one that is the same as the written one has its name. */
  interfaceOf(schema: SettingSchema, parent?: string): string {
    const { title, properties = {}, required = [] } = schema;
    if (title === undefined) throw new Error(`A group of ${Object.keys(properties)} has no title.`);
    const members = Object.entries(properties).map(([key, property]) => {
      const isRequired = required.includes(key);
      return `${docOf(key, property, !isRequired)}  readonly ${key}${isRequired ? '' : '?'}: ${this.#typeOf(property)};\n`;
    });
    const body = `${parent === undefined ? '' : ` extends ${parent}`} {\n${members.join('')}}\n`;
    if (this.#form === 'complete' && this.#interfaces.get(title)?.endsWith(`interface ${title}${body}`))
      return title;
    const name = this.#form === 'written' ? title : (COMPLETE_NAMES[title] ?? `Complete${title}`);
    const description =
      this.#form === 'written' ? schema.description : `\`${title}\`, every default filled in.`;
    this.#interfaces.set(name, `${comment([description ?? ''], '')}export interface ${name}${body}`);
    return name;
  }

  #typeOf(schema: SettingSchema): string {
    const named = this.#form === 'complete' ? (schema.complete ?? schema.ts) : schema.ts;
    if (named !== undefined) return this.#imported(named);
    if (schema.anyOf !== undefined) return schema.anyOf.map((one) => this.#typeOf(one)).join(' | ');
    const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
    if (values !== undefined) {
      return values.map((value) => (typeof value === 'string' ? `'${value}'` : `${value}`)).join(' | ');
    }
    switch (schema.type) {
      case 'array': {
        const item = this.#typeOf(schema.items ?? {});
        return `readonly ${item.includes('|') ? `(${item})` : item}[]`;
      }
      case 'object':
        return schema.properties === undefined
          ? `{ readonly [name: string]: ${this.#typeOf(schema.additionalProperties || {})} }`
          : this.interfaceOf(schema);
      case 'integer':
        return 'number';
      case 'string':
      case 'number':
      case 'boolean':
        return schema.type;
      default:
        throw new Error(`The settings have no type for ${JSON.stringify(schema)}.`);
    }
  }

  #imported({ name, from }: NamedType): string {
    if (from === undefined) return name;
    const names = this.#imports.get(from) ?? new Set();
    this.#imports.set(from, names.add(name.replace(/\[\]$/, '')));
    return name;
  }
}

function docOf(key: string, schema: SettingSchema, isOptional: boolean): string {
  const bounds = boundsOf(schema);
  const leftOut = defaultOf(schema);
  if (schema.description === undefined) throw new Error(`${key} has no description.`);
  if (isOptional && leftOut === undefined && schema.properties === undefined) {
    throw new Error(`${key} is optional, but has neither a default nor a leftOut.`);
  }
  return comment(
    [
      [schema.description, ...(bounds === undefined ? [] : [`${bounds}.`])].join(' '),
      ...(isOptional && leftOut !== undefined ? ['', `@default ${leftOut}`] : []),
    ],
    '  ',
  );
}

/** Such as `5 to 28`. */
export function boundsOf({ minimum, maximum }: SettingSchema): string | undefined {
  return minimum === undefined || maximum === undefined
    ? undefined
    : `${minimum.toLocaleString('en')} to ${maximum.toLocaleString('en')}`;
}

/** The behaviour without a value; undefined for a group, whose keys each have it. */
export function defaultOf({ leftOut, default: value, properties }: SettingSchema): string | undefined {
  if (leftOut !== undefined) return leftOut;
  if (value === undefined || properties !== undefined) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (typeof value === 'object') return 'none';
  return value === '' ? 'empty' : `${value}`;
}

/** A documentation comment, in lines of at most 120 characters. */
function comment(paragraphs: string[], indent: string): string {
  const lines = paragraphs.flatMap((paragraph) => wrap(paragraph, 117 - indent.length));
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`, ''].join(
    '\n',
  );
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
