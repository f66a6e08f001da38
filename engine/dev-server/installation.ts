/** What a download or a build of the Temporal CLI needs to know. */
export interface Installation {
  /** Folder that gets the binary; exists. */
  readonly cacheDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Called every few seconds with a sentence for a person. */
  readonly onProgress: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}
