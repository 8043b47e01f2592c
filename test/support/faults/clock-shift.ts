import { flushCompileCache } from 'node:module';

// Loaded ahead of a function's bundle: moves the process's clock, so that no test waits for a deadline to pass, and keeps
// what thousands of invocations log and measure from hiding what the tests say.
const shiftMs = Number(process.env['CLOCK_SHIFT_MS']);
const realNow = Date.now;
Date.now = () => realNow() + shiftMs;
process.stdout.write = () => true;
process.stderr.write = () => true;
// These processes are killed, and what they compiled would be lost.
setTimeout(flushCompileCache, 2_000).unref();
