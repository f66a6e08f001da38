import { AttributeApi } from './attribute-api.js';
import { useAttributeStacks } from './attribute-stack.js';
import { useServers } from './http-api.js';
import { until } from './until.js';

/** Gives each test an API with an entity type: with nothing in it, or with boxes. */
export function useBoxApi() {
  const start = useAttributeStacks();
  const serve = useServers();

  /** An API with the type of a test, and nothing in it. */
  async function empty() {
    const stack = await start({}, {});
    const { url } = await serve(stack.env.engine);
    return { stack, type: stack.type, api: new AttributeApi(url) };
  }

  /** Boxes with a width, and an area that is computed from it. */
  async function boxes() {
    const { stack, type, api } = await empty();
    for (const attribute of [
      { name: 'width', data_type: 'integer' },
      {
        name: 'area',
        data_type: 'integer',
        editable: 'overridable',
        needs_approval: 'yes',
        is_sync: 'to_external',
      },
    ])
      await api.post('/attributes', { entity_type: type, ...attribute });
    const pipeline = await api.post('/attribute_pipelines', {
      attribute: `${type}.area`,
      modules: [
        { module: 'attributes_source', settings: { attributes: ['width'] } },
        { module: 'calculation', settings: { code: 'return $json.width * $json.width' } },
      ],
    });
    const ids = await saved(api, type, { a: 2, b: 3 });
    return { stack, type, api, pipeline, ids };
  }

  return { start, empty, boxes, serve };
}

async function saved(
  api: AttributeApi,
  type: string,
  widths: Readonly<Record<string, number>>,
): Promise<readonly string[]> {
  const { entities } = await api.post('/entities', {
    entity_type: type,
    entities: Object.entries(widths).map(([key, width]) => ({ key, values: { width } })),
  });
  return (entities as readonly { readonly id: string }[]).map(({ id }) => id);
}

/** Waits until an entity has this area. */
export async function areaIs(api: AttributeApi, id: string, area: number): Promise<void> {
  await until(async () => {
    const { values } = await api.get(`/entities/${id}`);
    return (values as Record<string, unknown>)['area'] === area ? true : undefined;
  });
}
