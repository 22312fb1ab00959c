// How the drivers for Node.js are spoken to: see the README of the clients for the protocol.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');

const versions = { ecs: '2014-05-26', sts: '2015-04-01' };

// run answers requests, one a line, until the input ends.
async function run(call) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await call(JSON.parse(line))) + '\n');
  }
}

// ca is the certificate to trust, in PEM; undefined without TLS.
function ca(request) {
  return request.scheme === 'https' ? fs.readFileSync(request.ca, 'utf8') : undefined;
}

module.exports = { ca, run, versions };
