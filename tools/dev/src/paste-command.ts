/** A command for the reader to paste, and what it does. */
export interface PasteCommand {
  /** Such as `post an event`; no two commands share one. */
  readonly title: string;
  readonly line: string;
}
