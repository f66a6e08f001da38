import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** One answer of the server. */
export interface Reply {
  /** 200 unless set. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the model says; an object becomes JSON text. */
  readonly says?: unknown;
  /** Why the model stopped, in OpenAI's words; `stop` unless set. */
  readonly finish?: string;
  /** The whole body, instead of what the model says. */
  readonly body?: string;
  /** Milliseconds before it answers. */
  readonly delayMs?: number;
}

/** A request that the server got. */
export interface RecordedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // Its form is each provider's own, and tests look into it.
  readonly body: Record<string, unknown>;
}

/** A local HTTP server that speaks the wire formats of OpenAI (both APIs), Anthropic and Google. */
export interface OpenAIServer {
  /** Base URL for OpenAI and Anthropic: `http://127.0.0.1:…/v1`. */
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** Most requests that were open at once. */
  readonly peak: () => number;
  /** Sets what comes next: replies in order, the last one for ever; or a function of the request. */
  readonly reply: (...replies: readonly (Reply | ((request: RecordedRequest) => Reply))[]) => void;
  readonly close: () => Promise<void>;
}

/** What every answer is said to take. */
export const TOKENS = { inputTokens: 11, outputTokens: 7 } as const;

/** Starts the server on a free port of the loopback interface. */
export async function startOpenAIServer(): Promise<OpenAIServer> {
  const requests: RecordedRequest[] = [];
  let replies: readonly (Reply | ((request: RecordedRequest) => Reply))[] = [{ says: 'hello' }];
  const open = { now: 0, peak: 0 };
  const closing = new AbortController();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    open.now += 1;
    open.peak = Math.max(open.peak, open.now);
    const recorded: RecordedRequest = {
      path: request.url ?? '',
      headers: request.headers,
      body: (await json(request)) as Record<string, unknown>,
    };
    requests.push(recorded);
    const [next = {}] = replies;
    if (replies.length > 1) replies = replies.slice(1);
    const reply = typeof next === 'function' ? next(recorded) : next;
    if (reply.delayMs !== undefined)
      await delay(reply.delayMs, undefined, { signal: closing.signal });
    open.now -= 1;
    response.writeHead(reply.status ?? 200, {
      'content-type': 'application/json',
      ...reply.headers,
    });
    response.end(reply.body ?? JSON.stringify(wireFormat(recorded.path, reply)));
  };
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}/v1`,
    requests,
    peak: () => open.peak,
    reply: (...given) => {
      replies = given;
    },
    close: async () => {
      closing.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function wireFormat(path: string, { status = 200, says = '', finish = 'stop' }: Reply): unknown {
  const text = typeof says === 'string' ? says : JSON.stringify(says);
  if (status >= 400) return { error: { message: text, type: 'error', code: null } };
  if (path.endsWith('/messages')) return anthropicMessage(text);
  if (path.includes(':generateContent')) return googleContent(text);
  if (path.endsWith('/responses')) return openAIResponse(text);
  return chatCompletion(text, finish);
}

function chatCompletion(content: string, finish: string): unknown {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'test-model',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }],
    usage: {
      prompt_tokens: TOKENS.inputTokens,
      completion_tokens: TOKENS.outputTokens,
      total_tokens: TOKENS.inputTokens + TOKENS.outputTokens,
    },
  };
}

function openAIResponse(text: string): unknown {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_700_000_000,
    status: 'completed',
    model: 'test-model',
    output: [
      {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text, annotations: [] }],
      },
    ],
    usage: {
      input_tokens: TOKENS.inputTokens,
      output_tokens: TOKENS.outputTokens,
      total_tokens: 18,
    },
  };
}

function anthropicMessage(text: string): unknown {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'test-model',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: TOKENS.inputTokens, output_tokens: TOKENS.outputTokens },
  };
}

function googleContent(text: string): unknown {
  return {
    candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: {
      promptTokenCount: TOKENS.inputTokens,
      candidatesTokenCount: TOKENS.outputTokens,
      totalTokenCount: TOKENS.inputTokens + TOKENS.outputTokens,
    },
  };
}
