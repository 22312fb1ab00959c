// Drives the older SDK for Node.js (@alicloud/pop-core). It signs with the older signature and sends all parameters, the
// signature too, in the body.
'use strict';

const https = require('node:https');

const Core = require('@alicloud/pop-core');

const drive = require('./drive');

// flatten gives parameters as the API numbers them: Permissions.1.IpProtocol.
function flatten(parameters, prefix = '', flat = {}) {
  for (const [name, value] of Object.entries(parameters)) {
    const key = Array.isArray(parameters) ? Number(name) + 1 : name;
    if (typeof value === 'object') flatten(value, `${prefix}${key}.`, flat);
    else flat[prefix + key] = value;
  }
  return flat;
}

async function call(r) {
  const client = new Core({
    accessKeyId: r.key,
    accessKeySecret: r.secret,
    securityToken: r.token || undefined,
    endpoint: `${r.scheme}://${r.endpoint}`,
    apiVersion: drive.versions[r.product],
  });
  const options = { method: 'POST', timeout: 30000 };
  if (r.scheme === 'https') options.agent = new https.Agent({ ca: drive.ca(r) });
  try {
    return { ok: true, status: 200, data: await client.request(r.action, flatten(r.parameters), options) };
  } catch (e) {
    return { ok: false, type: e.name, code: e.code, message: e.message, requestId: e.data?.RequestId };
  }
}

drive.run(call);
