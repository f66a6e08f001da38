import type { SinkConnector } from '../../src/data-flow/sink.js';
import type { SourceConnector } from '../../src/data-flow/source.js';
import { entitiesSink } from './entities/entities-sink.js';
import { entitiesSource } from './entities/entities-source.js';
import { csvSink } from './file/csv-sink.js';
import { csvSource } from './file/csv-source.js';
import { ndjsonSink } from './file/ndjson-sink.js';
import { ndjsonSource } from './file/ndjson-source.js';
import { httpSink } from './http/http-sink.js';
import { httpSource } from './http/http-source.js';
import { sqlSink } from './sql/sql-sink.js';
import { sqlSource } from './sql/sql-source.js';

/** The sources that every project has, by the names that YAML uses. */
export const BUILT_IN_SOURCES: readonly SourceConnector[] = [
  csvSource,
  ndjsonSource,
  sqlSource,
  httpSource,
  entitiesSource,
];

/** The sinks that every project has, by the names that YAML uses. */
export const BUILT_IN_SINKS: readonly SinkConnector[] = [
  csvSink,
  ndjsonSink,
  sqlSink,
  httpSink,
  entitiesSink,
];
