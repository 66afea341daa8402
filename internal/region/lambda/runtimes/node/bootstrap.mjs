// Roost's runtime client for Node.js: it loads a function's handler, asks the
// Lambda Runtime API for invocations and hands back what the handler returns.
// It speaks HTTP/1.1 over one socket itself, because loading node:http would
// take a good part of a cold start.

import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import util from 'node:util'
import { createRequire, Module, syncBuiltinESMExports } from 'node:module'
import { Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'

const env = process.env

// Started before it is known for which function, the process waits here to be told.
if (env._ROOST_AHEAD_FD) {
  const fd = Number(env._ROOST_AHEAD_FD)
  const { directory, variables } = JSON.parse(fs.readFileSync(fd, 'utf8'))
  fs.closeSync(fd)
  for (const name of Object.keys(env)) delete env[name]
  Object.assign(env, variables)
  process.chdir(directory)
  Module._initPaths() // NODE_PATH has come
}

// ---- the AWS SDK ----------------------------------------------------------

// AWS's runtime brings the SDK. Here it comes from the app's own node_modules, and
// nothing but it: what else is there would not be found on AWS. It counts only
// where the function's own folder and layers don't have it.
const sdkFolder = env._ROOST_SDK
const app = env._ROOST_APP
delete env._ROOST_SDK
delete env._ROOST_APP
const sdkPackage = /^((?:@aws-sdk|@smithy)\/[^/]+|aws-sdk)(?:\/|$)/

function withoutSDK(error) {
  const [, name] = sdkPackage.exec(/'([^']+)'/.exec(error.message)?.[1] ?? '') ?? []
  if (!name || error.message.includes('npm install')) return error
  const where = app ? ` in ${app}` : " in the app's folder"
  error.message += `\nAWS's runtime brings the AWS SDK, this machine's does not: run npm install ${name}${where}, or bundle it with the function.`
  return error
}

const resolveFilename = Module._resolveFilename
Module._resolveFilename = function (request, ...rest) {
  try {
    return resolveFilename.call(this, request, ...rest)
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND' || !sdkPackage.test(request)) throw error
    try {
      if (sdkFolder) return resolveFilename.call(this, request, null, false, { paths: [sdkFolder] })
    } catch { /* the first error tells who needs it */ }
    throw withoutSDK(error)
  }
}

// importModule imports an ES module. Hooks that find the SDK cost a thread, so
// they come only where an import of it has failed.
async function importModule(url) {
  try {
    return await import(url)
  } catch (error) {
    if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !/'(@aws-sdk|@smithy)\/|'aws-sdk'/.test(error.message)) throw error
    if (!sdkFolder || !Module.register) throw withoutSDK(error)
    const parent = pathToFileURL(path.join(sdkFolder, 'x.mjs')).href
    const root = pathToFileURL(env.LAMBDA_TASK_ROOT + '/').href
    Module.register('./sdk.mjs', import.meta.url, { data: { parent, root, packages: sdkPackage } })
    return import(url).catch((again) => { throw again?.code === 'ERR_MODULE_NOT_FOUND' ? withoutSDK(again) : again })
  }
}

const streaming = Symbol.for('aws.lambda.runtime.handler.streaming')
const highWaterMark = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')
const integration = 'application/vnd.awslambda.http-integration-response'

// ---- the Runtime API ------------------------------------------------------

class Client {
  constructor(address) {
    const [host, port] = address.split(':')
    this.host = address
    this.pending = null
    this.data = Buffer.alloc(0)
    this.socket = net.connect({ host, port: Number(port), noDelay: true })
    this.socket.on('data', (part) => this.received(part))
    this.socket.on('error', () => process.exit(1))
    this.socket.on('close', () => process.exit(1))
  }

  // The socket keeps the process alive only while an answer is awaited: an
  // empty event loop during an invocation has a meaning (see waitForEmptyLoop).
  answer() {
    this.socket.ref()
    return new Promise((resolve) => { this.pending = resolve }).finally(() => this.socket.unref())
  }

  received(part) {
    this.data = this.data.length ? Buffer.concat([this.data, part]) : part
    const end = this.data.indexOf('\r\n\r\n')
    if (end < 0 || !this.pending) return
    const [first, ...lines] = this.data.toString('latin1', 0, end).split('\r\n')
    const headers = {}
    for (const line of lines) {
      const colon = line.indexOf(':')
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
    }
    const length = Number(headers['content-length'] ?? 0)
    if (this.data.length < end + 4 + length) return
    const body = this.data.subarray(end + 4, end + 4 + length)
    this.data = this.data.subarray(end + 4 + length)
    const resolve = this.pending
    this.pending = null
    resolve({ status: Number(first.split(' ')[1]), headers, body })
  }

  head(method, target, headers) {
    let text = `${method} /2018-06-01/runtime/${target} HTTP/1.1\r\nHost: ${this.host}\r\n`
    for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`
    return text + '\r\n'
  }

  next() {
    this.socket.write(this.head('GET', 'invocation/next', {}))
    return this.answer()
  }

  post(target, body, headers = {}) {
    const bytes = Buffer.from(body, 'utf8')
    const head = this.head('POST', target, { 'Content-Type': 'application/json', 'Content-Length': bytes.length, ...headers })
    this.socket.write(Buffer.concat([Buffer.from(head, 'latin1'), bytes]))
    return this.answer()
  }
}

// ---- logging --------------------------------------------------------------

let requestId
const jsonLogs = env.AWS_LAMBDA_LOG_FORMAT === 'JSON'
const logFd = Number(env._LAMBDA_TELEMETRY_LOG_FD || 0)
delete env._LAMBDA_TELEMETRY_LOG_FD
const severities = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const threshold = Math.max(0, severities.indexOf((env.AWS_LAMBDA_LOG_LEVEL || 'TRACE').toUpperCase()))

// A framed message is one log event however many lines it has: four bytes of
// type, four of length, eight of time in microseconds, the text.
function writeLog(text) {
  if (!logFd) {
    fs.writeSync(1, text + '\n')
    return
  }
  const bytes = Buffer.from(text + '\n', 'utf8')
  const frame = Buffer.alloc(16 + bytes.length)
  frame.writeUInt32BE(0xa55a0003, 0)
  frame.writeUInt32BE(bytes.length, 4)
  frame.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8)
  bytes.copy(frame, 16)
  for (let at = 0; at < frame.length;) at += fs.writeSync(logFd, frame, at)
}

function logAt(level, format, ...args) {
  if (jsonLogs && severities.indexOf(level) < threshold) return
  const timestamp = new Date().toISOString()
  if (!jsonLogs) {
    writeLog(`${timestamp}\t${requestId}\t${level}\t${util.format(format, ...args)}`)
    return
  }
  const record = { timestamp, level, requestId, message: args.length === 0 ? format : util.format(format, ...args) }
  const error = [format, ...args].find((value) => value instanceof Error)
  if (error) {
    record.errorType = error.name
    record.errorMessage = error.message
    record.stackTrace = String(error.stack).split('\n').slice(1)
    record.message = util.format(format, ...args)
  }
  let text
  try {
    text = JSON.stringify(record)
  } catch {
    text = JSON.stringify({ ...record, message: util.format(format, ...args) })
  }
  writeLog(text)
}

for (const [name, level] of Object.entries({ log: 'INFO', info: 'INFO', debug: 'DEBUG', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' })) {
  console[name] = (format, ...args) => logAt(level, format, ...args)
}
console.trace = (format, ...args) => logAt('TRACE', '%s', new Error(util.format(format, ...args)).stack.replace(/^Error/, 'Trace'))

// ---- errors ---------------------------------------------------------------

class RuntimeError extends Error {
  constructor(name, message) {
    super(message)
    this.name = name
  }
}

// document is the error as its caller gets it.
function document(error) {
  if (error instanceof Error || util.types.isNativeError(error)) {
    return { errorType: error.name, errorMessage: error.message, trace: String(error.stack ?? '').split('\n') }
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] }
}

// logged is the error as it is logged, with the members that its class added.
function logged(error) {
  if (!(error instanceof Error)) return JSON.stringify(document(error))
  const { errorType, errorMessage, trace } = document(error)
  const extra = {}
  for (const key of Object.keys(error)) extra[key] = error[key]
  try {
    return JSON.stringify({ errorType, errorMessage, ...extra, stack: trace })
  } catch {
    return JSON.stringify({ errorType, errorMessage, stack: trace })
  }
}

const errorHeader = (error) => ({ 'Lambda-Runtime-Function-Error-Type': /^(Runtime|Function)\./.test(error?.name) ? error.name : 'Function.Unknown' })

// ---- loading the handler --------------------------------------------------

function findModule(root, name) {
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    const file = path.resolve(root, name + extension)
    if (fs.existsSync(file) && fs.statSync(file).isFile()) return file
  }
  return null
}

async function importFile(root, name) {
  const file = findModule(root, name)
  const require = createRequire(path.join(root, 'x.js'))
  if (!file) return require(require.resolve(name, { paths: [root] }))
  if (file.endsWith('.mjs') || file.endsWith('.js') && isModule(file)) return importModule(pathToFileURL(file).href)
  return require(file)
}

// isModule follows Node's rule: the nearest package.json decides.
function isModule(file) {
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    const manifest = path.join(dir, 'package.json')
    if (fs.existsSync(manifest)) {
      try {
        return JSON.parse(fs.readFileSync(manifest, 'utf8')).type === 'module'
      } catch {
        return false
      }
    }
    if (dir === path.dirname(dir) || dir === env.LAMBDA_TASK_ROOT) return false
  }
}

function importError(error) {
  if (error instanceof SyntaxError) {
    const wrapped = new RuntimeError('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`)
    wrapped.stack = error.stack
    return wrapped
  }
  if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
    const wrapped = new RuntimeError('Runtime.ImportModuleError', `Error: ${error.message}`)
    return wrapped
  }
  return error
}

async function loadHandler() {
  const expression = env._HANDLER ?? ''
  if (expression.includes('..')) throw new RuntimeError('Runtime.MalformedHandlerName', `'${expression}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`)
  const base = path.basename(expression)
  const folder = expression.slice(0, expression.length - base.length)
  const match = /^([^.]*)\.(.*)$/.exec(base)
  if (!match) throw new RuntimeError('Runtime.MalformedHandlerName', 'Bad handler')
  let module
  try {
    module = await importFile(env.LAMBDA_TASK_ROOT ?? process.cwd(), path.join(folder, match[1]))
  } catch (error) {
    throw importError(error)
  }
  const find = (from) => match[2].split('.').reduce((value, key) => value?.[key], from)
  const handler = find(module) ?? find(module?.default)
  if (handler === undefined) throw new RuntimeError('Runtime.HandlerNotFound', `${expression} is undefined or not exported`)
  if (typeof handler !== 'function') throw new RuntimeError('Runtime.HandlerNotFound', `${expression} is not a function`)
  return handler
}

// ---- streamed responses ---------------------------------------------------

class ResponseStream extends Writable {
  constructor(client, id, options) {
    super(options)
    Object.assign(this, { client, id, begun: false, contentType: 'application/octet-stream' })
  }

  setContentType(type) { this.contentType = type }

  begin() {
    if (this.begun) return
    this.begun = true
    this.client.socket.write(this.client.head('POST', `invocation/${this.id}/response`, {
      'Content-Type': this.contentType, 'Transfer-Encoding': 'chunked',
      'Lambda-Runtime-Function-Response-Mode': 'streaming',
      Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
    }))
  }

  _write(chunk, encoding, callback) {
    this.begin()
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk)
    if (bytes.length === 0) return callback()
    this.client.socket.write(Buffer.concat([Buffer.from(bytes.length.toString(16) + '\r\n'), bytes, Buffer.from('\r\n')]), callback)
  }

  // close ends the response, with the error in trailers where there is one.
  async close(error) {
    this.begin()
    let trailers = ''
    if (error) {
      trailers = `Lambda-Runtime-Function-Error-Type: ${errorHeader(error)['Lambda-Runtime-Function-Error-Type']}\r\n` +
        `Lambda-Runtime-Function-Error-Body: ${Buffer.from(JSON.stringify(document(error))).toString('base64')}\r\n`
    }
    const answer = this.client.answer()
    this.client.socket.write('0\r\n' + trailers + '\r\n')
    return answer
  }
}

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[streaming] = 'response'
    if (options?.highWaterMark !== undefined) handler[highWaterMark] = Number(options.highWaterMark)
    return handler
  },
  HttpResponseStream: {
    from(stream, prelude) {
      stream.setContentType(integration)
      stream.write(JSON.stringify(prelude))
      stream.write(Buffer.alloc(8))
      return stream
    },
  },
}

async function runStreaming(client, handler, event, context, id) {
  const stream = new ResponseStream(client, id, handler[highWaterMark] ? { highWaterMark: handler[highWaterMark] } : {})
  const finished = new Promise((resolve, reject) => stream.once('finish', resolve).once('error', reject))
  finished.catch(() => {})
  try {
    await handler(event, stream, context)
    if (!stream.writableEnded) stream.end()
    await finished
  } catch (error) {
    console.error('Invoke Error ', logged(error))
    if (!stream.begun) return client.post(`invocation/${id}/error`, JSON.stringify(document(error)), errorHeader(error))
    return stream.close(error)
  }
  return stream.close()
}

// ---- invocations ----------------------------------------------------------

function makeContext(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  const parse = (name) => headers[name] ? JSON.parse(headers[name]) : undefined
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parse('lambda-runtime-client-context'),
    identity: parse('lambda-runtime-cognito-identity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  }
}

// whenLoopIsEmpty runs its function the next time nothing is left to do.
let whenLoopIsEmpty = null
process.on('beforeExit', () => {
  const run = whenLoopIsEmpty
  whenLoopIsEmpty = null
  run?.()
})

// call runs a handler of either style, and settles with its result. A handler
// whose promise never settles answers null once nothing is left to do.
function call(handler, event, context) {
  return new Promise((resolve, reject) => {
    whenLoopIsEmpty = () => resolve(null)
    const settle = (error, result) => {
      const end = () => error !== undefined && error !== null ? reject(error) : resolve(result)
      if (context.callbackWaitsForEmptyEventLoop) whenLoopIsEmpty = end
      else end()
    }
    context.done = settle
    context.succeed = (result) => { context.callbackWaitsForEmptyEventLoop = false; settle(null, result) }
    context.fail = (error) => { context.callbackWaitsForEmptyEventLoop = false; settle(error ?? 'handled') }
    let result
    try {
      result = handler(event, context, settle)
    } catch (error) {
      reject(error)
      return
    }
    if (typeof result?.then === 'function') result.then(resolve, reject)
  }).finally(() => { whenLoopIsEmpty = null })
}

function serialize(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? 'null'
  } catch {
    throw new RuntimeError('Runtime.UnserializableResponse', 'Unable to stringify response body')
  }
}

// reachable lets a function answer for a custom resource. Many functions, CDK's
// own among them, send the answer over TLS to port 443 of the host in the
// ResponseURL, whatever port and scheme the URL has: such a request goes to the
// URL as it is.
let responseURL
async function reachable(event) {
  if (typeof event?.ResponseURL !== 'string' || !event.ResponseURL.startsWith('http://127.0.0.1:')) return
  const first = !responseURL
  responseURL = new URL(event.ResponseURL)
  if (!first) return
  const [{ default: http }, { default: https }] = await Promise.all([import('node:http'), import('node:https')])
  const request = https.request
  https.request = (options, ...rest) => {
    const { hostname, port, pathname, search } = responseURL
    if (options?.path !== pathname + search || (options.hostname ?? options.host) !== hostname) return request(options, ...rest)
    return http.request({ ...options, protocol: 'http:', port, agent: undefined }, ...rest)
  }
  syncBuiltinESMExports()
}

async function invoke(client, handler, { headers, body }) {
  const id = headers['lambda-runtime-aws-request-id']
  requestId = id
  if (headers['lambda-runtime-trace-id']) env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id']
  else delete env._X_AMZN_TRACE_ID
  try {
    const event = JSON.parse(body.toString('utf8'))
    await reachable(event)
    const context = makeContext(headers)
    if (handler[streaming]) return await runStreaming(client, handler, event, context, id)
    const result = serialize(await call(handler, event, context))
    return await client.post(`invocation/${id}/response`, result)
  } catch (error) {
    console.error('Invoke Error ', logged(error))
    return client.post(`invocation/${id}/error`, JSON.stringify(document(error)), errorHeader(error))
  }
}

// die tells the error that nothing caught, and ends the process.
async function die(client, error, type, status) {
  console.error(type === 'Runtime.UnhandledPromiseRejection' ? 'Unhandled Promise Rejection ' : 'Uncaught Exception ', logged(error))
  const body = JSON.stringify(document(error))
  if (requestId === undefined) await client.post('init/error', body, { 'Lambda-Runtime-Function-Error-Type': type })
  else await client.post(`invocation/${requestId}/error`, body, { 'Lambda-Runtime-Function-Error-Type': type })
  process.exit(status)
}

async function main() {
  const client = new Client(env.AWS_LAMBDA_RUNTIME_API)
  process.on('uncaughtException', (error) => die(client, error, 'Runtime.UncaughtException', 129))
  process.on('unhandledRejection', (reason) => {
    const error = new RuntimeError('Runtime.UnhandledPromiseRejection', reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason))
    if (reason instanceof Error) error.stack = reason.stack
    die(client, error, 'Runtime.UnhandledPromiseRejection', 128)
  })
  let handler
  try {
    handler = await loadHandler()
  } catch (error) {
    console.error('Uncaught Exception ', logged(error))
    await client.post('init/error', JSON.stringify(document(error)), errorHeader(error))
    process.exit(1)
  }
  for (;;) await invoke(client, handler, await client.next())
}

main()
