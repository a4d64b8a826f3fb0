/**
 * The half of the proxy that is in the sandbox: hardly anything. The step's network namespace has only its loopback.
 * Before the command, a short-lived Node opens a listener there and passes the listener itself, a descriptor, over an
 * inherited channel to the instance, which accepts the step's connections in the step's namespace. Then it is gone: no
 * byte is copied twice, nothing can be killed, no socket lies in the file system, and the command is started by
 * its shell with the same pid, so signals, pipes and its end are its own. A relay that connects to a unix socket
 * would need AF_UNIX, which the filter of the tier refuses.
 */
import { SHIM_NAME } from '../shim.ts';

const ADDRESS = '127.0.0.1';
/** Any would do: the namespace is empty. */
const PORT = 3128;
const BACKLOG = 128;

const LISTENER = `const fail=(why)=>{process.stderr.write('${SHIM_NAME}: network: '+why+'\\n');process.exit(1)};
const server=require('node:net').createServer();
server.on('error',(error)=>fail(error.message));
server.listen({host:'${ADDRESS}',port:${PORT},backlog:${BACKLOG}},()=>process.send('listening',server));
process.once('message',()=>process.exit(0));
process.once('disconnect',()=>fail('the instance took no listener'));`;
const SMALL = '--no-warnings --max-semi-space-size=1 --v8-pool-size=0';

/**
 * Words before a command that make its listener first, with no environment but the channel's. `channel` (one digit)
 * is the descriptor in the launched process; the command does not get it. When it fails the shell ends with 125.
 */
export function listenerWords(channel: number): readonly string[] {
  const listen = `NODE_CHANNEL_FD=${channel} "$1" ${SMALL} -e "$2" </dev/null >&2`;
  const fail = `{ echo "${SHIM_NAME}: network: there is no listener" >&2; exit 125; }`;
  return [
    '/bin/sh',
    '-c',
    `${listen} || ${fail}; shift 2; exec "$@" ${channel}<&-`,
    SHIM_NAME,
    process.execPath,
    LISTENER,
  ];
}

/** What tells programs of the proxy. An empty NO_PROXY, because one of the caller's would lead nowhere. */
export function proxyVariables(): Record<string, string> {
  const url = `http://${ADDRESS}:${PORT}`;
  return {
    HTTP_PROXY: url,
    http_proxy: url,
    HTTPS_PROXY: url,
    https_proxy: url,
    ALL_PROXY: url,
    all_proxy: url,
    NO_PROXY: '',
    no_proxy: '',
    NODE_USE_ENV_PROXY: '1',
  };
}
