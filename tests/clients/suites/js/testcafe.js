// Calls the reporter as TestCafe does, in the order of a browser's tests. TestCafe waits for no
// upload; its tests last longer than setting up and the first upload, and so do these.
const plugin = require("testcafe-reporter-testit")();
const { meet, pause, register } = require("./meeting");

const [worker, milliseconds, together = "", later = ""] = process.argv.slice(2);
const pace = Number(milliseconds);
const outcomes = { open: [], refund: [{ errMsg: "the shop keeps the money" }], close: [] };

async function main() {
  await plugin.reportTaskStart(new Date(), ["Chrome 130.0 / Linux"], 3);
  await plugin.reporter.setupPromise;
  register();
  await meet(together);
  await plugin.reportFixtureStart("A shop", "shop.js", {});
  for (const [test, errs] of Object.entries(outcomes)) {
    await pause(pace);
    const info = { errs, warnings: [], durationMs: pace, unstable: false, skipped: false, testId: test };
    await plugin.reportTestDone(test, info, { externalId: `${worker}-${test}` });
    await plugin.reporter.loadTestPromises[0];
    await meet(later);
  }
  await plugin.reportTaskDone(new Date(), 2, [], {});
  console.log("reported");
}

main();
