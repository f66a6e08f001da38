import { afterEach, expect } from '@jest/globals';
import { connect } from 'node:net';
import type { Engine } from '../../engine/engine.js';
import type { HttpServer } from '../../server/http-listener.js';
import { startHttpServer, type HttpServerOptions } from '../../server/http-server.js';
import { type ConfigDefinition } from '../../src/config/config.js';
import { parseConfig, type ProjectConfig } from '../../src/config/project-config.js';

/** A project's configuration, with catch-all routes unless the test says otherwise. */
export function configOf(definition: ConfigDefinition = {}): ProjectConfig {
  const { config, problems } = parseConfig({ catchAllRoutes: true, ...definition });
  if (config === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  return config;
}

/** Starts servers on free ports, and stops them after each test. */
export function useServers(): (
  engine: Engine,
  config?: ConfigDefinition,
  options?: HttpServerOptions,
) => Promise<HttpServer> {
  const running: HttpServer[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop(500)));
  });
  return async (engine, config, options) => {
    const server = await startHttpServer(engine, configOf(config), { port: 0, ...options });
    running.push(server);
    return server;
  };
}

/** An answer, with its body parsed. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Sends a request; the answer's body must be JSON, or nothing. */
export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (text !== '') expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  // The API answers with JSON objects.
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

/** Posts a value as JSON. */
export async function post(
  url: string,
  value: unknown = {},
  headers: Record<string, string> = {},
  init: RequestInit = {},
): Promise<Answer> {
  return send(url, {
    method: 'POST',
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json', ...headers },
    ...init,
  });
}

/** Writes text to a server as it is and returns everything that comes back until the server closes. */
export async function raw(server: HttpServer, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, server.host);
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      received += chunk;
    });
    socket.once('error', reject);
    socket.once('close', () => {
      resolve(received);
    });
    socket.write(text);
  });
}
