/**
 * A language model answered, but not with what it was asked for: no JSON, another form than the schema says, an output
 * missing, or an answer that was cut off. Models differ from call to call, so another attempt may help.
 */
export class ModelAnswerInvalid extends Error {
  override readonly name = 'ModelAnswerInvalid';
  constructor(
    /** The model's name in config.yml. */
    readonly model: string,
    /** What is wrong with the answer, as a phrase. */
    readonly reason: string,
    /** What the answer took all the same. */
    readonly usage: { readonly inputTokens: number; readonly outputTokens: number },
  ) {
    super(`Model "${model}" gave an answer that cannot be used: ${reason}.`);
  }
}
