// Hooks of Node.js's module loader, by which ES modules find the AWS SDK where
// their own folders don't have it. See importModule in bootstrap.mjs.

let sdk

export function initialize(data) {
  sdk = data
}

export async function resolve(specifier, context, next) {
  let found
  try {
    found = await next(specifier, context)
  } catch (error) {
    if (!sdk.packages.test(specifier)) throw error
    return next(specifier, { ...context, parentURL: sdk.parent }).catch(() => { throw error })
  }
  // Node.js keeps that a module could not be loaded: under another URL it tries anew.
  return found.url.startsWith(sdk.root) && !found.url.includes('?') ? { ...found, url: found.url + '?sdk' } : found
}
