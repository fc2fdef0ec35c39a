/** Content hashes: names for weights, images, options and data by what they are. */
import { createHash } from "node:crypto";

/** SHA-256 of text or bytes as 64 hexadecimal characters. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
