/** A run cannot be recorded. */
export class NotRecordable extends Error {
  override readonly name = 'NotRecordable';
  constructor(
    /** The workflow id. */
    readonly run: string,
    reason: string,
  ) {
    super(`${run} cannot be recorded: ${reason}`);
  }
}

/** A file is no recording. */
export class RecordingInvalid extends Error {
  override readonly name = 'RecordingInvalid';
  constructor(
    readonly file: string,
    reason: string,
  ) {
    super(
      `${file} is no recording of a run: ${reason}\nRecord the run again: millrace record RUN_ID`,
    );
  }
}

/** There is a file already where a recording is to be written. */
export class RecordingExists extends Error {
  override readonly name = 'RecordingExists';
  constructor(readonly file: string) {
    super(
      `${file} is there already. Choose another file, or say that it may be replaced (--force).`,
    );
  }
}
