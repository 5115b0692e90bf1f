// Makes segments.jsonl: how many segments texts take, as Twilio's own calculator counts them.
//
//   npm install --prefix /tmp/calculator sms-segments-calculator@1.3.0
//   node tests/contract/segments.cjs /tmp/calculator/node_modules/sms-segments-calculator > tests/contract/segments.jsonl
//
// The texts are made here, so that the same file comes out every time. See README.md beside this.
const { SegmentedMessage } = require(require('path').resolve(process.argv[2]));

const texts = new Map();
const add = (name, text) => texts.set(name, text);
const fill = (unit, length) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);

for (const n of [0, 1, 159, 160, 161, 305, 306, 307, 458, 459, 460, 1530, 1531, 1600]) add(`gsm ${n}`, fill('a', n));
for (const n of [69, 70, 71, 133, 134, 135, 201, 202, 670, 671]) add(`ucs2 ${n}`, fill('中', n));
for (const c of ['^', '{', '}', '\\', '[', '~', ']', '|', '€', '\f']) {
  add(`extension ${JSON.stringify(c)} at 159`, fill('a', 159) + c);
  add(`extension ${JSON.stringify(c)} at 158`, fill('a', 158) + c);
  add(`extension ${JSON.stringify(c)} split at 153`, fill('a', 152) + c + fill('b', 100));
  add(`extension ${JSON.stringify(c)} split twice`, fill('a', 152) + c + fill('b', 150) + c + fill('c', 160));
}
for (const n of [79, 80, 81, 76, 77, 152, 153, 154, 230]) add(`only euro ${n}`, '€'.repeat(n));
for (const c of '@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà') add(`basic ${c}`, fill(c, 161));
for (const c of ['ç', 'í', 'ó', 'á', 'ú', 'ê', '“', '”', '‘', '’', '–', '—', '…', '`', '\t', '\u00a0', '\u200b', '\u00ad', 'И', 'ﬁ']) {
  add(`outside ${JSON.stringify(c)} 70`, fill('a', 69) + c);
  add(`outside ${JSON.stringify(c)} 71`, fill('a', 70) + c);
}
for (const n of [34, 35, 36, 66, 67, 68, 100]) add(`emoji ${n}`, '🙂'.repeat(n));
add('emoji would be split at 67', fill('中', 66) + '🙂' + fill('中', 30));
add('emoji just fits at 67', fill('中', 65) + '🙂' + fill('中', 30));
add('emoji split in the second', fill('中', 133) + '🙂' + fill('中', 60));
add('emoji at the end of one', fill('a', 68) + '🙂');
add('emoji beyond one', fill('a', 69) + '🙂');
for (const [name, unit] of [['family', '👨‍👩‍👧‍👦'], ['flag', '🇺🇸'], ['skin', '👍🏽'], ['keycap', '1️⃣'], ['heart', '❤️']]) {
  for (const n of [1, 5, 6, 7, 12, 13, 23, 24]) add(`${name} ${n}`, unit.repeat(n));
  add(`${name} after 60`, fill('a', 60) + unit.repeat(3));
}
add('combining accent 70', fill('a', 68) + 'e\u0301');
add('combining accent 71', fill('a', 69) + 'e\u0301');
for (const n of [158, 159, 160]) { add(`LF after ${n}`, fill('a', n) + '\n'); add(`CR after ${n}`, fill('a', n) + '\r'); }
for (const n of [157, 158, 159]) add(`CRLF after ${n}`, fill('a', n) + '\r\n');
for (const n of [67, 68, 69]) add(`CRLF in ucs2 after ${n}`, fill('中', n) + '\r\n');
add('CRLF at 153', fill('a', 152) + '\r\n' + fill('b', 100));
add('CRLF at 67', fill('中', 66) + '\r\n' + fill('中', 30));
add('reminder en', 'Harbour Bank: hello Ada. Your payment of $120.00 was due on Feb 20. Pay: https://pay.example.com/a1 or reply PLAN. Reply STOP to end texts. Ref 8F3K');
add('reminder es', 'Harbour Bank: hola Ada. Su pago de 120,00 $ venció el 20 de febrero. Pague en https://pay.example.com/a1 o responda PLAN. Responda ALTO para no recibir más. Ref 8F3K');
add('reminder zh', '【海港银行】您好，王女士：您有一笔 120.00 美元的还款已于 2 月 20 日到期。请访问 https://pay.example.com/a1 还款，或回复“分期”。回复“退订”停止接收。编号 8F3K');

// A small generator of its own (mulberry32), so that the mixed texts are the same everywhere.
let state = 20261122;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const pools = [['a', 'b', ' ', '0', 'é', '€', '{'], ['a', ' ', '€', '[', '~', '\n'], ['a', '中', '🙂', ' ', 'ç'], ['🙂', 'é', '👩‍🦰', '中', '\r\n']];
for (let n = 0; n < 120; n += 1) {
  const pool = pools[n % pools.length];
  let text = '';
  const length = 20 + Math.floor(random() * 460);
  while (text.length < length) text += pool[Math.floor(random() * pool.length)];
  add(`mixed ${n}`, text);
}

for (const [name, text] of texts) {
  const counted = new SegmentedMessage(text);
  process.stdout.write(JSON.stringify({ name, text, encoding: counted.encodingName, segments: counted.segmentsCount }) + '\n');
}
