// Drives the SDK for Node.js of today's generation (@alicloud/ecs20140526). It signs with ACS3 and sends all parameters in
// the query.
'use strict';

const { $OpenApiUtil } = require('@alicloud/openapi-core');
const { RuntimeOptions } = require('@darabonba/typescript');

const drive = require('./drive');

const products = { ecs: require('@alicloud/ecs20140526'), sts: require('@alicloud/sts20150401') };

// fill makes a typed request of parameters under their API names.
function fill(Type, parameters) {
  const fields = {};
  for (const [field, name] of Object.entries(Type.names())) {
    if (!(name in parameters)) continue;
    const Item = Type.types()[field].itemType;
    const value = parameters[name];
    fields[field] = typeof Item === 'function' ? value.map((item) => fill(Item, item)) : value;
  }
  return new Type(fields);
}

async function call(r) {
  const product = products[r.product];
  const client = new product.default(new $OpenApiUtil.Config({
    accessKeyId: r.key,
    accessKeySecret: r.secret,
    securityToken: r.token || undefined,
    endpoint: r.endpoint,
    protocol: r.scheme,
  }));
  const options = new RuntimeOptions({ ca: drive.ca(r) });
  const method = `${r.action[0].toLowerCase()}${r.action.slice(1)}WithOptions`;
  const Request = product[`${r.action}Request`];
  try {
    const response = Request
      ? await client[method](fill(Request, r.parameters), options)
      : await client[method](options);
    return { ok: true, status: response.statusCode, data: response.body.toMap() };
  } catch (e) {
    return {
      ok: false, type: e.name, status: e.statusCode, code: e.code, message: e.message, requestId: e.requestId,
      wait: e.retryAfter,
    };
  }
}

drive.run(call);
