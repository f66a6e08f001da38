import { VERSION } from '../../src/version.js';
import type { Handler } from '../middleware/chain.js';

/** `GET /health`: the process is there, and has its definitions. */
export function health(loaded: () => boolean): Handler {
  return (ctx) => {
    ctx.body = { status: 'ok', loaded: loaded(), version: VERSION };
  };
}
