import type { SinkConnector } from './sink.js';
import type { SourceConnector } from './source.js';
import type { TransformConnector } from './transform.js';

/** What `class_name` can name: the connectors of the product and of the project. Never a class that a text names. */
export interface Connectors {
  readonly sources: ReadonlyMap<string, SourceConnector>;
  readonly sinks: ReadonlyMap<string, SinkConnector>;
  readonly transforms: ReadonlyMap<string, TransformConnector>;
}
