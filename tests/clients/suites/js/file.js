// One test file's worker, as the Jest adapter makes one for each: set up, load, tear down.
const { ConfigComposer, StrategyFactory } = require("testit-js-commons");

const worker = process.argv[2];
const pace = Number(process.argv[3] || 100); // milliseconds
const outcomes = { open: "Passed", refund: "Failed", close: "Passed" };
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function main() {
  const strategy = StrategyFactory.create(new ConfigComposer().compose());
  await strategy.setup();
  for (const [test, outcome] of Object.entries(outcomes)) {
    await pause(pace);
    const externalId = `${worker}-${test}`;
    const completedOn = new Date();
    const startedOn = new Date(completedOn.getTime() - pace);
    await strategy.loadAutotest({ externalId, name: test, title: test, steps: [] }, outcome);
    await strategy.loadTestRun([
      { autoTestExternalId: externalId, outcome, startedOn, completedOn, duration: pace },
    ]);
  }
  console.log("loaded");
  await strategy.teardown();
  console.log("torn down");
}

main();
