// scrypt (RFC 7914), with PBKDF2 from WebCrypto: the same derivation, and the same cost of a guess, as in the file.
"use strict";

const pbkdf2 = async (secret, salt, bytes) => {
  const imported = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: 1 };
  return new Uint8Array(await crypto.subtle.deriveBits(how, imported, bytes * 8));
};

// Salsa20/8 over 16 words of `state`, after `input` at `from` was mixed in; the result is also put to `output` at `to`.
const salsa = (state, input, from, output, to) => {
  for (let i = 0; i < 16; i++) state[i] ^= input[from + i];
  let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = state;
  let t = 0;
  for (let round = 0; round < 8; round += 2) {
    t = a + m; e ^= (t << 7) | (t >>> 25); t = e + a; i ^= (t << 9) | (t >>> 23);
    t = i + e; m ^= (t << 13) | (t >>> 19); t = m + i; a ^= (t << 18) | (t >>> 14);
    t = f + b; j ^= (t << 7) | (t >>> 25); t = j + f; n ^= (t << 9) | (t >>> 23);
    t = n + j; b ^= (t << 13) | (t >>> 19); t = b + n; f ^= (t << 18) | (t >>> 14);
    t = k + g; o ^= (t << 7) | (t >>> 25); t = o + k; c ^= (t << 9) | (t >>> 23);
    t = c + o; g ^= (t << 13) | (t >>> 19); t = g + c; k ^= (t << 18) | (t >>> 14);
    t = p + l; d ^= (t << 7) | (t >>> 25); t = d + p; h ^= (t << 9) | (t >>> 23);
    t = h + d; l ^= (t << 13) | (t >>> 19); t = l + h; p ^= (t << 18) | (t >>> 14);
    t = a + d; b ^= (t << 7) | (t >>> 25); t = b + a; c ^= (t << 9) | (t >>> 23);
    t = c + b; d ^= (t << 13) | (t >>> 19); t = d + c; a ^= (t << 18) | (t >>> 14);
    t = f + e; g ^= (t << 7) | (t >>> 25); t = g + f; h ^= (t << 9) | (t >>> 23);
    t = h + g; e ^= (t << 13) | (t >>> 19); t = e + h; f ^= (t << 18) | (t >>> 14);
    t = k + j; l ^= (t << 7) | (t >>> 25); t = l + k; i ^= (t << 9) | (t >>> 23);
    t = i + l; j ^= (t << 13) | (t >>> 19); t = j + i; k ^= (t << 18) | (t >>> 14);
    t = p + o; m ^= (t << 7) | (t >>> 25); t = m + p; n ^= (t << 9) | (t >>> 23);
    t = n + m; o ^= (t << 13) | (t >>> 19); t = o + n; p ^= (t << 18) | (t >>> 14);
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  state[8] += i; state[9] += j; state[10] += k; state[11] += l; state[12] += m; state[13] += n; state[14] += o; state[15] += p;
  output.set(state, to);
};

// scryptBlockMix: `block` of 2r times 16 words is mixed into `mixed`.
const mixBlock = (block, mixed, r) => {
  const state = block.slice((2 * r - 1) * 16);
  for (let i = 0; i < 2 * r; i++) salsa(state, block, i * 16, mixed, ((i >> 1) + (i & 1 ? r : 0)) * 16);
};

// scryptROMix, in place; `table` has room for n blocks.
const mixMemory = (block, table, n, r) => {
  const words = 32 * r;
  let one = block.slice();
  let other = new Int32Array(words);
  for (let i = 0; i < n; i++) {
    table.set(one, i * words);
    mixBlock(one, other, r);
    [one, other] = [other, one];
  }
  for (let i = 0; i < n; i++) {
    const from = (one[words - 16] & (n - 1)) * words;
    for (let j = 0; j < words; j++) one[j] ^= table[from + j];
    mixBlock(one, other, r);
    [one, other] = [other, one];
  }
  block.set(one);
};

// Int32Array takes the byte order of the machine, and every machine with a browser today is little-endian.
const scrypt = async (secret, salt, { n, r, p }, bytes = 32) => {
  const blocks = new Int32Array((await pbkdf2(secret, salt, p * 128 * r)).buffer);
  const table = new Int32Array(n * 32 * r);
  for (let i = 0; i < p; i++) mixMemory(blocks.subarray(i * 32 * r, (i + 1) * 32 * r), table, n, r);
  return pbkdf2(secret, new Uint8Array(blocks.buffer), bytes);
};
