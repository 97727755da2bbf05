// One test file's worker, as the Jest adapter makes one for each: set up, load, tear down.
const { ConfigComposer, StrategyFactory } = require("testit-js-commons");
const { meet, pause, register } = require("./meeting");

const [worker, milliseconds = 100, together = "", later = ""] = process.argv.slice(2);
const pace = Number(milliseconds);
const outcomes = { open: "Passed", refund: "Failed", close: "Passed" };

async function main() {
  const strategy = StrategyFactory.create(new ConfigComposer().compose());
  await strategy.setup();
  register();
  await meet(together);
  for (const [test, outcome] of Object.entries(outcomes)) {
    await pause(pace);
    const externalId = `${worker}-${test}`;
    const completedOn = new Date();
    const startedOn = new Date(completedOn.getTime() - pace);
    await strategy.loadAutotest({ externalId, name: test, title: test, steps: [] }, outcome);
    await strategy.loadTestRun([
      { autoTestExternalId: externalId, outcome, startedOn, completedOn, duration: pace },
    ]);
    await meet(later);
  }
  console.log("loaded");
  await strategy.teardown();
  console.log("torn down");
}

main();
