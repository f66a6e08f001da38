/**
 * The Temporal CLI that is downloaded or built where none is installed (server 1.29.1, UI 2.42.1).
 * Newer ones cannot be built with `go install`: their go.mod has a replace directive.
 */
export const TEMPORAL_CLI_VERSION = '1.5.1';
