/** What `millrace/connectors` exports: the sources and sinks that come with the package. */
export { csvSource } from './file/csv-source.js';
export { csvSink } from './file/csv-sink.js';
export { ndjsonSource } from './file/ndjson-source.js';
export { ndjsonSink } from './file/ndjson-sink.js';
export { httpSource } from './http/http-source.js';
export { httpSink } from './http/http-sink.js';
export { HttpRequestFailed } from '../http/request.js';
export { sqlSource } from './sql/sql-source.js';
export { sqlSink } from './sql/sql-sink.js';
export { entitiesSource } from './entities/entities-source.js';
export { entitiesSink } from './entities/entities-sink.js';
export { contentHash } from './content-hash.js';
