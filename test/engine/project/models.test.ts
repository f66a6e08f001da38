import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../../engine/project/load-project.js';
import type { CompiledPipeline } from '../../../src/pipeline/compile.js';
import { loadRightProject, messagesIn, messagesOf, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();
const messages = messagesIn(temporary);

describe('models', () => {
  const CALL = `name: ask
stages:
  - name: ask
    operations:
      - { type: llm-call, model: MODEL, options: { capability: vision, prompt: Hello, outputs: { answer: string } } }
`;

  it('that lack what an operation needs are refused', async () => {
    const config =
      'models: { fast: { provider: openai, model: gpt, capabilities: [text, json] } }\n';
    const [message, ...more] = await messages({
      'config.yml': config,
      'pipelines/ask.yml': CALL.replace('MODEL', 'fast'),
    });
    expect(more).toEqual([]);
    expect(message).toMatch(
      /^pipelines\/ask\.yml:5:34 {2}stage "ask": "llm-call": model "fast" lacks the capability "vision"\. It has: text, json\.$/,
    );
  });

  it('that no file names are refused', async () => {
    expect(await messages({ 'pipelines/ask.yml': CALL.replace('MODEL', 'fast') })).toEqual([
      'pipelines/ask.yml:5:34  stage "ask": "llm-call": unknown model "fast". config.yml has no models.',
    ]);
    const config = 'models: { fast: { provider: openai, model: gpt, capabilities: [vision] } }\n';
    expect(
      await messages({ 'config.yml': config, 'pipelines/ask.yml': CALL.replace('MODEL', 'fsat') }),
    ).toEqual([
      'pipelines/ask.yml:5:34  stage "ask": "llm-call": unknown model "fsat". Did you mean "fast"?',
    ]);
  });

  it('keep their references, so that no secret becomes part of a plan', async () => {
    const dir = await writeProject(temporary.path, {
      'config.yml':
        'models: { fast: { provider: openai, model: gpt, options: { api_key: "${KEY}", headers: { x: "secret://x" } } } }\n',
    });
    const project = await loadRightProject(dir, { KEY: 'hunter2' });
    expect(project.models.get('fast')?.options).toMatchObject({
      api_key: '${KEY}',
      headers: { x: 'secret://x' },
    });
    expect(JSON.stringify([...project.models])).not.toContain('hunter2');
  });

  it('with unknown keys are refused with the name that was meant', async () => {
    expect(await messages({ 'config.yml': 'modles: {}\n' })).toEqual([
      'config.yml:1:1  unknown key "modles". Did you mean "models"?',
    ]);
    const config =
      'models:\n  fast:\n    provider: openai\n    model: gpt\n    capabilites: [text]\n';
    expect(await messages({ 'config.yml': config })).toEqual([
      'config.yml:5:5  model "fast": unknown key "capabilites". Did you mean "capabilities"?',
    ]);
  });
});

describe('texts that options name', () => {
  const ASK = `name: ask
stages:
  - name: ask
    operations:
      - type: llm-call
        model: fast
        options: { prompt_file: prompts/ask.txt, outputs: { answer: string } }
`;
  const CONFIG = 'models: { fast: { provider: openai, model: gpt } }\n';

  it('are part of the plan, and their files are watched', async () => {
    const dir = await writeProject(temporary.path, {
      'config.yml': CONFIG,
      'pipelines/ask.yml': ASK,
      'prompts/ask.txt': 'Who are you?',
    });
    const loaded = await loadProject(dir);
    expect(messagesOf(loaded)).toEqual([]);
    const ask = loaded.project?.registry.definitions.get('ask') as CompiledPipeline;
    expect(ask.plan.stages[0]?.operations[0]?.options).toMatchObject({ prompt: 'Who are you?' });
    expect(loaded.watched.some((path) => path.endsWith('prompts/ask.txt'))).toBe(true);
  });

  it('are refused where there is no such file in the project', async () => {
    expect(await messages({ 'config.yml': CONFIG, 'pipelines/ask.yml': ASK })).toEqual([
      'pipelines/ask.yml:7:33  stage "ask": "llm-call": prompt_file: there is no file "prompts/ask.txt" in the project.',
    ]);
    expect(
      await messages({
        'pipelines/ask.yml': ASK.replace('prompts/ask.txt', '../../../../etc/passwd'),
      }),
    ).toEqual([
      'pipelines/ask.yml:7:33  stage "ask": "llm-call": prompt_file: there is no file "../../../../etc/passwd" in the project.',
    ]);
  });
});
