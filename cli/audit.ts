import { survivePipedHelp } from '../local/output.ts';
import { runAudit } from './audit/run.ts';

survivePipedHelp();
process.exitCode = await runAudit(process.argv.slice(2), process.env, 'npm run --silent audit --');
