/** Protocol revisions of the legacy era, and what differs between them. */

export const LATEST_LEGACY = "2025-11-25";
interface Revision {
  /** JSON-RPC batches are received (2025-03-26 only). */
  readonly batches: boolean;
  /** `MCP-Protocol-Version` is sent after initialize. */
  readonly versionHeader: boolean;
  /** `structuredContent`, `outputSchema` and resource links exist. */
  readonly structured: boolean;
  /** Audio content exists. */
  readonly audio: boolean;
  /** A stream may begin with an event that has an id and no data, and be polled. */
  readonly priming: boolean;
  /** The client may be asked through `elicitation/create`. */
  readonly elicitation: boolean;
  /** Wrong arguments are told as result of the tool (SEP-1303). */
  readonly argumentResults: boolean;
}

const REVISIONS: Readonly<Record<string, Revision>> = {
  "2024-11-05": {
    batches: false,
    versionHeader: false,
    structured: false,
    audio: false,
    priming: false,
    elicitation: false,
    argumentResults: false,
  },
  "2025-03-26": {
    batches: true,
    versionHeader: false,
    structured: false,
    audio: true,
    priming: false,
    elicitation: false,
    argumentResults: false,
  },
  "2025-06-18": {
    batches: false,
    versionHeader: true,
    structured: true,
    audio: true,
    priming: false,
    elicitation: true,
    argumentResults: false,
  },
  "2025-11-25": {
    batches: false,
    versionHeader: true,
    structured: true,
    audio: true,
    priming: true,
    elicitation: true,
    argumentResults: true,
  },
};

/** Revisions of the legacy era that we speak, oldest first. */
export const LEGACY_REVISIONS: readonly string[] = Object.keys(REVISIONS);

/** True for a revision of the legacy era that we speak. */
export function isLegacyRevision(revision: string): boolean {
  return Object.hasOwn(REVISIONS, revision);
}

/** The row of a revision; of the latest one for a revision we do not know. */
export function revisionOf(revision: string): Revision {
  return REVISIONS[revision] ?? (REVISIONS[LATEST_LEGACY] as Revision);
}
