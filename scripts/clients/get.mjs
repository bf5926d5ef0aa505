// One GET by Node's fetch, for scripts/client_table: get.mjs URL SECONDS
// It measures the call itself, and writes that into WATERCLOCK_LAB_REPORT.
import { writeFileSync } from "node:fs";
import { createSecureContext } from "node:tls";

const [url, t] = process.argv.slice(2);
// What Node loads with the first fetch and the first certificate is no part of a call.
createSecureContext();
await fetch("data:,");
const begin = performance.now();
let said = "ok";
let code = 0;
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(Number(t) * 1000) });
  await response.arrayBuffer();
} catch (error) {
  said = `${error.name}: ${error.message}${error.cause ? ` (${error.cause.message})` : ""}`;
  code = 1;
}
const took = (performance.now() - begin) / 1000;
if (process.env.WATERCLOCK_LAB_REPORT) {
  writeFileSync(process.env.WATERCLOCK_LAB_REPORT, `${took.toFixed(6)}\n${said}\n`);
}
console.error(said);
process.exit(code);
