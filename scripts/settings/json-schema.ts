import { z } from 'zod';
import { configSchema, facadeSchema } from '../../lib/settings/schema.ts';

/** The name of a TypeScript type, and the module that has it, as seen from lib/settings/. */
export interface NamedType {
  name: string;
  from?: string;
}

/** The parts of a JSON Schema that the settings use, and what lib/settings/schema.ts adds. */
export interface SettingSchema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: SettingSchema[];
  minimum?: number;
  maximum?: number;
  items?: SettingSchema;
  properties?: Record<string, SettingSchema>;
  required?: string[];
  additionalProperties?: SettingSchema | false;
  /** What holds without a value, if that is not a default. */
  leftOut?: string;
  /** The type in TypeScript, if it is not made from the schema. */
  ts?: NamedType;
  /** The same, once complete. */
  complete?: NamedType;
}

/** The schemas of the settings, as they are written or with every default filled in. */
export function settingSchemas(as: 'written' | 'complete'): { facade: SettingSchema; config: SettingSchema } {
  const options = { io: as === 'written' ? 'input' : 'output', unrepresentable: 'any' } as const;
  return {
    facade: z.toJSONSchema(facadeSchema, options) as SettingSchema,
    config: z.toJSONSchema(configSchema, options) as SettingSchema,
  };
}
