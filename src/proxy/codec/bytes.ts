/** Byte classes of RFC 9110 §5.6.2 and RFC 3986, as tables: one lookup per byte on the hot path. */

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const TAB = 9;
export const COLON = 58;
export const SEMICOLON = 59;

/** Marks, in {@link TOKEN}, characters other than letters, digits and `-`. */
export const ODD = 0x80;

/** Lower-cased byte of a token character (odd ones marked), 0 for anything that a field name or method may not hold. */
export const TOKEN = new Uint8Array(256);
for (const character of '-0123456789abcdefghijklmnopqrstuvwxyz') {
  TOKEN[character.charCodeAt(0)] = character.charCodeAt(0);
}
for (const character of "!#$%&'*+.^_`|~") TOKEN[character.charCodeAt(0)] = character.charCodeAt(0) | ODD;
for (let byte = 65; byte <= 90; byte++) TOKEN[byte] = byte + 32;

/** 1 for bytes of a field value: visible ASCII, space and tab. Bytes >= 0x80 are refused (security rules, 2.2). */
export const FIELD_VALUE = new Uint8Array(256);
FIELD_VALUE[TAB] = 1;
for (let byte = SP; byte < 127; byte++) FIELD_VALUE[byte] = 1;

/** 1 for bytes of a request target: visible ASCII without `#`, `\`, quotes and brackets that no URI holds. */
export const TARGET = new Uint8Array(256);
for (let byte = 33; byte < 127; byte++) TARGET[byte] = 1;
for (const character of '#\\"<>^`{}|') TARGET[character.charCodeAt(0)] = 0;
// Browsers send these four raw in queries, and every server takes them.
for (const character of '{}|^') TARGET[character.charCodeAt(0)] = 1;

/** Value of a hexadecimal digit, 255 for anything else. */
export const HEX_DIGIT = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 10; digit++) HEX_DIGIT[48 + digit] = digit;
for (let digit = 0; digit < 6; digit++) {
  HEX_DIGIT[65 + digit] = 10 + digit;
  HEX_DIGIT[97 + digit] = 10 + digit;
}
