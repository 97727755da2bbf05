// Calls the reporter as TestCafe does, in the order and at the pace of a browser's tests.
const plugin = require("testcafe-reporter-testit")();

const worker = process.argv[2];
const pace = Number(process.argv[3] || 300); // milliseconds
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const outcomes = { open: [], refund: [{ errMsg: "the shop keeps the money" }], close: [] };

async function main() {
  await plugin.reportTaskStart(new Date(), ["Chrome 130.0 / Linux"], 3);
  await plugin.reportFixtureStart("A shop", "shop.js", {});
  for (const [test, errs] of Object.entries(outcomes)) {
    await pause(pace);
    const info = { errs, warnings: [], durationMs: pace, unstable: false, skipped: false, testId: test };
    await plugin.reportTestDone(test, info, { externalId: `${worker}-${test}` });
  }
  await plugin.reportTaskDone(new Date(), 2, [], {});
  console.log("reported");
}

main();
