// The same mails by nodemailer: composed, signed, sent over a pool of connections.
// node nodemailer.mjs PORT MAILS.JSONL COUNT KEY.PEM prints {"mails", "seconds"}, the first fifth
// left out.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const nodemailer = createRequire(import.meta.url)("nodemailer");
const [port, file, count, key] = process.argv.slice(2);
const mails = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  pool: true,
  maxConnections: 8,
  maxMessages: Infinity,
  dkim: { domainName: "example.org", keySelector: "s1", privateKey: readFileSync(key, "utf8") },
});

const total = Number(count);
const warm = Math.floor(total / 5);
let begun = 0;
let done = 0;
let since = 0;

async function work() {
  while (begun < total) {
    const number = begun++;
    const { subject, text, html } = mails[number % mails.length];
    await transport.sendMail({
      from: "Paper digest <digest@example.org>",
      to: `reader${number}@example.org`,
      subject,
      text,
      html,
      list: {
        unsubscribe: { url: `https://digest.example.org/unsubscribe/${number}`, comment: "Leave" },
      },
    });
    if (++done === warm) since = performance.now();
  }
}

await Promise.all(Array.from({ length: 16 }, work));
console.log(JSON.stringify({ mails: total - warm, seconds: (performance.now() - since) / 1000 }));
transport.close();
