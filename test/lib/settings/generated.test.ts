import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import type {
  CompleteConfig,
  CompleteSettings,
  EnvironmentConfig,
  FacadeSettings,
} from '../../../lib/settings/props.ts';
import type { configSchema, facadeSchema } from '../../../lib/settings/schema.ts';
import { renderPage } from '../../../scripts/settings/page.ts';
import { renderProps } from '../../../scripts/settings/props.ts';

describe('the output generated from the schema', () => {
  it.each([
    ['lib/settings/props.ts', renderProps],
    ['docs/configuration.md', renderPage],
  ])('is current, %s', (file, render) => {
    expect(readFileSync(file, 'utf8')).toBe(render());
  });

  it('has the input and output types of the schema', () => {
    // Compiled by `npm run typecheck`: fails to compile, and not here, if a type differs.
    const same: [
      Same<keyof FacadeSettings, keyof z.input<typeof facadeSchema>>,
      Same<keyof EnvironmentConfig, keyof z.input<typeof configSchema>>,
      Takes<CompleteSettings, z.output<typeof facadeSchema>>,
      Takes<CompleteConfig, z.output<typeof configSchema>>,
      Takes<FacadeSettings, CompleteSettings>,
      Takes<EnvironmentConfig, CompleteConfig>,
    ] = [true, true, true, true, true, true];
    expect(same).toHaveLength(6);
  });
});

type Same<One, Other> = [One, Other] extends [Other, One] ? true : false;
type Takes<Wide, Narrow> = Narrow extends Wide ? true : false;
