/** Attempts to reach something, as JavaScript for a Node inside or outside of a sandbox: each answers a word. */

/** What an attempt says when it came through. */
export const REACHED = 'reached';

/** Ways past the proxy; `P` are the ports of servers of the host. */
export const DIRECT: Readonly<Record<string, string>> = {
  'TCP to loopback': `tcp({port:P.tcp,host:'127.0.0.1'})`,
  'TCP to another loopback address': `tcp({port:P.tcp,host:'127.0.0.2'})`,
  'TCP to the unspecified address': `tcp({port:P.tcp,host:'0.0.0.0'})`,
  'TCP over IPv6': `tcp({port:P.tcp6,host:'::1'})`,
  'TCP over IPv4 mapped into IPv6': `tcp({port:P.tcp,host:'::ffff:127.0.0.1'})`,
  'UDP to loopback': `udp(P.udp,'127.0.0.1')`,
  'a name server of its own choice': `ask('127.0.0.1:'+P.udp)`,
  'an abstract socket of the host': `tcp({path:'\\0'+process.env.ABSTRACT})`,
  'a socket in the workspace': `tcp({path:process.env.WORKSPACE+'/dev.sock'})`,
};

/** What the attempts are made of. `proxy` sends one text, another when something came back, and reads to the end. */
export const PRELUDE = String.raw`const net=require('net');const P=JSON.parse(process.env.PORTS??'{}');
const tcp=(where)=>new Promise((done)=>{const s=net.connect(where).on('connect',()=>{done('reached');s.destroy()});s.on('error',(e)=>done(e.code))});
const udp=(port,host)=>new Promise((done)=>{const s=require('dgram').createSocket('udp4');
const timer=setTimeout(()=>end('silence'),500);const end=(word)=>{clearTimeout(timer);done(word);s.close()};
s.on('message',()=>end('reached')).on('error',(e)=>end(e.code));s.send('x',port,host,(e)=>{if(e)end(e.code)})});
const ask=(server)=>{const r=new (require('dns').promises.Resolver)({timeout:300,tries:1});r.setServers([server]);
return r.resolve4('a.example').then(()=>'reached',(e)=>e.code)};
const proxy=(text,more)=>new Promise((done)=>{let all='';const s=net.connect(3128,'127.0.0.1',()=>s.write(text));
s.on('data',(d)=>{all+=d;if(more!==undefined){s.write(more);more=undefined}}).on('error',(e)=>done(e.code));
s.on('close',()=>done(/(^|\n)ok$/.test(all)?'reached':/Reason: (\w+)/.exec(all)?.[1]??JSON.stringify(all)))});
`;

/** Node's arguments to make the attempts one after the other and print the word of each in a line. */
export function probes(attempts: readonly string[]): string[] {
  const each = attempts.map((attempt) => `console.log(await ${attempt});`).join('\n');
  return ['-e', `${PRELUDE}(async()=>{${each}})()`];
}

/** A request, and the opening of a tunnel, as texts in a script. */
export function get(url: string, host: string): string {
  return JSON.stringify(`GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
}

export function tunnel(authority: string): string {
  return JSON.stringify(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
}
