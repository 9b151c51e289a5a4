/** Identifiers made by this page; `crypto.randomUUID` would need HTTPS, and people try carrel on a plain LAN address. */

/** 128 random bits, as 32 hexadecimal digits. */
export function newIdentifier() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
