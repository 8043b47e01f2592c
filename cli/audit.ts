import { runAudit } from './audit/run.ts';

process.exitCode = await runAudit(process.argv.slice(2), process.env, 'npm run --silent audit --');
