// Lets workers of one run meet: each says where it works that it is registered, and waits for others.
const fs = require("fs");
const path = require("path");

const SIGN = "registered";
const LOOK_AGAIN = 20; // milliseconds
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function register() {
  fs.writeFileSync(SIGN, "");
}

// Wait for workers named with commas between; their folders are beside this one.
async function meet(others) {
  for (const other of others.split(",").filter(Boolean)) {
    while (!fs.existsSync(path.join("..", other, SIGN))) {
      await pause(LOOK_AGAIN);
    }
  }
}

module.exports = { meet, pause, register };
