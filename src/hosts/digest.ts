import * as crypto from "node:crypto";
import type { Digest } from "../ports/digest.ts";

export const systemDigest: Digest = {
  sha256: (text) => crypto.hash("sha256", text),
};
