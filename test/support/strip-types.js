import { stripTypeScriptTypes } from 'node:module';

// Jest's transformer: what Node itself does to a TypeScript file. Types become blanks, so lines and columns stay.
export default { process: (source) => ({ code: stripTypeScriptTypes(source) }) };
