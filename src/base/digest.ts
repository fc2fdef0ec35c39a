/** Content hashes: names for weights, images, options and data by what they are. */
import { hash } from "node:crypto";

/** SHA-256 of text or bytes as 64 hexadecimal characters. */
export function sha256(content: string | Uint8Array): string {
  // In one call: an object per hash costs eight times the hash of a short text.
  return hash("sha256", content, "hex");
}
