import { describe, expect, it } from '@jest/globals';
import { post } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';
import { useRunningPage } from './running-page.js';

const PAGE = 'docs/pipelines.md';

const temporal = useTemporal();

describe(PAGE, () => {
  const page = useRunningPage(temporal, PAGE);

  it('fails a quote in a currency that nobody knows with the type that it says', async () => {
    const input = { amount: 1, currency: 'XYZ', customerId: '7' };
    const { status, body } = await post(`${page.url}/pipelines/quote`, input);
    expect([status, body['code'], body['stage'], body['attempts']]).toEqual([
      500,
      'UnknownCurrency',
      'look up',
      1,
    ]);
  });

  it('runs all that YAML can say', async () => {
    const input = { amount: 100, currency: 'EUR', customerId: '0' };
    const { body } = await post(`${page.url}/pipelines/everything`, input);
    expect(body['result']).toEqual({
      ...input,
      converted: 100,
      customerName: 'Customer 0',
      regular: false,
    });
  });
});
