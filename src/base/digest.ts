/** Content hashes: names for weights, images, options and data by what they are. */
import { hash } from "node:crypto";

/** SHA-256 of text or bytes as 64 hexadecimal characters. */
export function sha256(content: string | Uint8Array): string {
  // In one call: an object per hash costs eight times the hash of a short text.
  return hash("sha256", content, "hex");
}

/** 66 bits of the SHA-256 as 11 characters (base64url): to notice that something differs, where each byte counts. */
export function shortDigest(content: string): string {
  return hash("sha256", content, "base64url").slice(0, 11);
}
